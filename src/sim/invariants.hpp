// The invariants of a simulated run: each is a function with a sentence that says what it protects.
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

// The data that the invariants examine.
struct Evidence {
    World& world;
    const Ledger& ledger;
    const ReferenceModel& model;
    const Broker& broker;
    bool is_faultless = false;  // no fault occurred in this run, and no service was silent
};

// Empty if the invariant holds; otherwise the evidence of the violation.
using CheckResult = std::optional<std::string>;

struct Invariant {
    std::string_view name;
    std::string_view protects;
    CheckResult (*check)(const Evidence& evidence);
};
// Returns the invariants that are checked once the system has come to rest.
std::span<const Invariant> invariants();

// Checked after every step that committed something.
CheckResult stock_is_consistent_now(sql::Database& stock);
CheckResult sagas_match_stock(const CurrentStatuses& statuses, World& world);
// Checks that no event after the position `seen` is dated before `oldest`, and advances `seen`.
// The date matters because the age of an event measures the relay's lag, for which sagas allow.
CheckResult events_are_dated_at_emission(sql::Database& orders, std::int64_t& seen, Instant oldest);
// Checked for every read: the version was the newest at some time within the last half minute
// before `asked_at`, plus a tolerance for the way of the answer.
CheckResult reads_are_recent(const DatabaseServer& orders, Uuid order, const std::string& status,
                             std::int64_t version, Instant asked_at);

}  // namespace trackops::sim
