// The network between clients and services: it loses and duplicates messages, and checks the
// answers of each process.
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
    // The arguments must outlive the network.
    SimNetwork(World& world, const Servers& servers,
               const std::vector<std::unique_ptr<Replica>>& replicas)
        : world_(world), servers_(servers), replicas_(replicas) {}
    void call(Service service, http::Request request, bool is_repeatable,
              std::function<void(const Answer&)> done) override;

private:
    using Done = std::shared_ptr<std::function<void(const Answer&)>>;
    std::vector<Replica*> replicas_up(Service service) const;
    void deliver(Service service, const http::Request& request, const Done& done);
    void serve(Replica& replica, const http::Request& request, const Done& done);
    void send_back(const Answer& answer, const Done& done);
    // The state at the moment when a process began with a request.
    struct Before {
        std::int64_t least = 0;    // the version that it may not fall behind
        std::int64_t commits = 0;  // of its database
    };
    // Checks the answer of a process against its earlier answers and its database.
    void hear(Replica& replica, const http::Request& request, const Before& before,
              const Answer& answer);
    void check_parked(Replica& replica, const std::string& body);
    DatabaseServer& server_of(const Replica& replica) const;
    std::int64_t least_version(Replica& replica, const http::Request& request) const;

    // Return the request or the answer as the active mutant changes it.
    http::Request as_planted(http::Request request);
    Answer as_planted(Answer answer);

    World& world_;
    const Servers& servers_;
    const std::vector<std::unique_ptr<Replica>>& replicas_;
    std::map<std::string, std::string> first_bodies_;  // by path and key; for the mutant first_body
    std::string last_etag_;                            // for the mutant etag_of_last
};

}  // namespace trackops::sim
