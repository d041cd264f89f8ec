// The lowest version of an order that each process may show: one that it wrote itself, or one that
// it waited for and answered with.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "sim/sim_database.hpp"
#include "sim/world.hpp"

namespace trackops::sim {

// A cache may lose an entry, and a late reader may then put an older one back. For an order whose
// entry was ever lost, nothing is promised.
class Shown {
public:
    Shown(const World& world, const DatabaseServer& orders) : world_(world), orders_(orders) {}

    // From now on the process must show no older version, for as long as the cache entry lives.
    void must_show(const std::string& process, Uuid order, std::int64_t version);
    // Returns the lowest version that the process may show; 0 if it may show any.
    std::int64_t least(const std::string& process, Uuid order) const;
    void lost(Uuid order) { lost_.insert(order); }
    // The cache holds the newest version of the order again.
    void arrived(Uuid order) { lost_.erase(order); }
    void restarted(const std::string& process);

private:
    struct Least {
        std::int64_t version = 0;
        Instant until;
    };
    const World& world_;
    const DatabaseServer& orders_;
    std::map<std::pair<std::string, Uuid>, Least> least_;
    std::set<Uuid> lost_;
};

}  // namespace trackops::sim
