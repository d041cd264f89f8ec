// The row that says which relay works. Not what correctness rests on: a stale holder can only
// publish doubles.
#pragma once
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "platform/sql/database.hpp"

namespace trackops::relay {

class Lease {
public:
    // holder: unique to this relay; std::invalid_argument if empty.
    Lease(sql::Database& database, const Clock& clock, std::string holder, Duration time);

    enum class LeaseState : std::uint8_t { none, taken, kept };
    // Takes the lease if it is free, or renews it when a third of its time has passed. It is free
    // when nobody has it, when it has run out, and when its holder has not renewed it for its time
    // by our own clock: the holder's may have been wrong. kept: nobody else had it in between,
    // however long that was. taken: what this relay remembers of earlier times is void. Throws
    // sql::Failure.
    LeaseState acquire_or_renew();
    // The next hold() says taken, not kept.
    void forget() { taken_at_.reset(); }
    // Lets go of it, if held. Throws sql::Failure.
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
    std::optional<Row> seen_;          // another's
    Instant seen_since_;
};

}  // namespace trackops::relay
