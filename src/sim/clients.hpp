// Who uses the services: customers who place, repeat, read and move orders, an operator who adjusts
// stock, and keepers who retry parked events. They tell the model what they ask and hear.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/answers.hpp"
#include "sim/reference_model.hpp"
#include "sim/replica.hpp"
#include "sim/world.hpp"

namespace trackops::sim {

// The way to the services and back.
class Network {
public:
    virtual ~Network() = default;
    // Calls any replica; done runs once, with status 0 when no answer came in time.
    // is_repeatable: it carries a key, and may arrive twice.
    virtual void call(Service service, http::Request request, bool is_repeatable,
                      std::function<void(const Answer&)> done) = 0;
};

// Somebody who did one thing after the other.
class Client {
public:
    virtual ~Client() = default;
    virtual void begin() = 0;
    virtual bool is_done() const = 0;
};

// What a read was answered, for those who know better.
using OnRead = std::function<void(Uuid order, const std::string& status, std::int64_t version,
                                  Instant asked_at)>;

// An order that was placed, as far as anybody has heard: anybody may change it.
struct KnownOrder {
    std::string reference;
    Uuid id;
    order::domain::Status status = order::domain::Status::pending;
    std::int64_t version = 1;
};

struct Clients {
    World& world;
    ReferenceModel& model;
    Answers& answers;
    Network& network;
    std::uint64_t seed;
    const std::vector<std::string>& skus;
    std::vector<KnownOrder>& known;
    Duration pace;  // the longest that a customer thinks
};

std::unique_ptr<Client> make_customer(const Clients& among, int number, int actions,
                                      OnRead on_read);
std::unique_ptr<Client> make_operator(const Clients& among, int actions);
// Looks after the events that the bus has refused, of the relay of this service, for ever.
std::unique_ptr<Client> make_keeper(const Clients& among, Service service, const Broker& broker);

http::Request request_of(std::string_view method, std::string path, std::string body = {});
// No answer, or one that says that it may be asked again.
bool is_unknown(const Answer& answer);

}  // namespace trackops::sim
