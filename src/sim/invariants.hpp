// What must hold, each promise a function with a sentence that says what it protects.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sim/ledger.hpp"
#include "sim/reference_model.hpp"
#include "sim/sim_bus.hpp"
#include "sim/sim_database.hpp"
#include "sim/world.hpp"

namespace trackops::sim {

// What the invariants look at.
struct Evidence {
    World& world;
    const Ledger& ledger;
    const ReferenceModel& model;
    const Broker& broker;
    bool is_faultless = false;  // nothing went wrong in this run
};

// Nothing: it holds. Otherwise what shows that it does not.
using CheckResult = std::optional<std::string>;

struct Invariant {
    std::string_view name;
    std::string_view protects;
    CheckResult (*check)(const Evidence& evidence);
};
// Asked when everything has come to rest.
std::span<const Invariant> invariants();

// Asked after every step that committed something.
CheckResult stock_is_consistent_now(sql::Database& stock);
CheckResult sagas_match_stock(const CurrentStatuses& statuses, World& world);
// Of the events behind the position `seen`, which moves on. A relay that lags is one whose events
// have waited, and sagas are patient with it.
CheckResult events_are_dated_at_emission(sql::Database& orders, std::int64_t& seen, Instant oldest);
// Asked of every read: the version was the newest at some time within the last half minute.
CheckResult reads_are_recent(const DatabaseServer& orders, Uuid order, const std::string& status,
                             std::int64_t version, Instant asked_at);

}  // namespace trackops::sim
