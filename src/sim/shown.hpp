// What each process may not fall behind when it shows an order: what it wrote itself, and what it
// waited for and answered.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "sim/sim_database.hpp"
#include "sim/world.hpp"

namespace trackops::sim {

// An entry of a cache may be forgotten, and a late reader may then bring an older one back: of an
// order whose entry was ever lost nothing is promised.
class Shown {
public:
    Shown(const World& world, const DatabaseServer& orders) : world_(world), orders_(orders) {}

    // From now on this process shows no older version, as long as the entry lives.
    void must_show(const std::string& process, Uuid order, std::int64_t version);
    // 0: any version may be shown.
    std::int64_t least(const std::string& process, Uuid order) const;
    void lost(Uuid order) { lost_.insert(order); }
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
