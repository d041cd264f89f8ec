// The clients of the services: customers place, repeat, read and change orders, an operator adjusts
// stock, a registrar keeps the address books, and keepers retry parked events. They report their
// requests and the answers to the reference model.
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

// The network between the clients and the services.
class Network {
public:
    virtual ~Network() = default;
    // Sends the request to any replica of the service. `done` runs once, with status 0 if no answer
    // arrives in time.
    // is_repeatable: the network may deliver the request more than once, because it carries an
    // idempotency key.
    virtual void call(Service service, http::Request request, bool is_repeatable,
                      std::function<void(const Answer&)> done) = 0;
};

// A client that performs one action after another.
class Client {
public:
    virtual ~Client() = default;
    virtual void begin() = 0;
    virtual bool is_done() const = 0;
};

// Receives the result of a read, to check it against the committed changes.
using OnRead = std::function<void(Uuid order, const std::string& status, std::int64_t version,
                                  Instant asked_at)>;

// A placed order, with the newest status and version that any client has seen. All clients may
// change it.
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
    const Broker& broker;
    Duration pace;  // the longest pause between two actions of a customer
};

std::unique_ptr<Client> make_customer(const Clients& among, int number, int actions,
                                      OnRead on_read);
std::unique_ptr<Client> make_operator(const Clients& among, int actions);
// Makes a client that registers customers and changes their addresses.
std::unique_ptr<Client> make_registrar(const Clients& among, int actions);
// Makes a client that retries the parked events of the relay of `service`, without end.
std::unique_ptr<Client> make_keeper(const Clients& among, Service service);

http::Request request_of(std::string_view method, std::string path, std::string body = {});
// Returns true if there was no answer or a 503: the request may be sent again.
bool is_unknown(const Answer& answer);

}  // namespace trackops::sim
