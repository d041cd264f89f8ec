// The lease is a row that names the one relay that works. A relay that believes in a lost lease can
// only publish duplicates: it changes no parked event, because ParkedEvents locks the row.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "platform/sql/database.hpp"

namespace trackops::relay {

class Lease {
public:
    // `holder` names this relay and no other. Throws std::invalid_argument when it is empty.
    Lease(sql::Database& database, const Clock& clock, std::string holder, Duration time);

    enum class LeaseState : std::uint8_t { none, taken, kept };
    // Takes the lease if it is free, or renews it when a third of its time has passed. The lease is
    // free when it has no holder, when it has expired, or when its holder has not renewed it for
    // the lease time by this relay's clock (the holder's clock may be wrong). none: another relay
    // holds it. kept: no other relay held it since the last call, however long ago that was. taken:
    // everything that this relay remembers of the source is void. Throws sql::Failure.
    LeaseState acquire_or_renew();
    // The next acquire_or_renew() returns taken, not kept.
    void forget() { taken_at_.reset(); }
    // Gives the lease up if this relay holds it. Throws sql::Failure.
    void release();

private:
    struct Row {
        std::string holder;
        Instant expires_at;
        bool operator==(const Row&) const = default;
    };
    bool is_free(Instant now);
    bool write(const sql::Query& query, sql::Params params);

    sql::Database& database_;
    const Clock& clock_;
    const std::string holder_;
    const Duration time_;
    std::optional<Instant> taken_at_;  // or renewed
    std::optional<Row> seen_;          // another holder's row
    Instant seen_since_;
};

// Locks the row of the lease, so that no other relay takes the lease before the transaction ends.
// Returns false, and locks nothing, when `holder` does not hold the lease. Flushes the transaction.
// Throws sql::Failure.
bool lock_held_lease(sql::Transaction& tx, std::string_view holder);

}  // namespace trackops::relay
