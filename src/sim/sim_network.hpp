// The network between clients and services: it loses and doubles, and hears what each process says.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/clients.hpp"
#include "sim/replica.hpp"

namespace trackops::sim {

class SimNetwork final : public Network {
public:
    // All outlive it.
    SimNetwork(World& world, const Servers& servers,
               const std::vector<std::unique_ptr<Replica>>& replicas)
        : world_(world), servers_(servers), replicas_(replicas) {}
    void call(Service service, http::Request request, bool is_repeatable,
              std::function<void(const Answer&)> done) override;

private:
    using Done = std::shared_ptr<std::function<void(const Answer&)>>;
    void deliver(Service service, const http::Request& request, const Done& done);
    // What a process says must agree with what it said before, and with its database.
    void hear(Replica& replica, const http::Request& request, std::int64_t least,
              const Answer& answer);
    std::int64_t least_version(Replica& replica, const http::Request& request) const;

    // As a planted bug hands it on.
    http::Request as_planted(http::Request request);
    Answer as_planted(Answer answer);

    World& world_;
    const Servers& servers_;
    const std::vector<std::unique_ptr<Replica>>& replicas_;
    std::map<std::string, std::string> first_bodies_;  // by key, for a planted bug
    std::string last_etag_;                            // the same
};

}  // namespace trackops::sim
