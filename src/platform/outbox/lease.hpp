// The row that says which relay works. Not what correctness rests on: a stale holder can only
// publish doubles.
#pragma once
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "platform/sql/database.hpp"

namespace trackops::outbox {

class Lease {
public:
    // holder: unique to this relay; std::invalid_argument if empty.
    Lease(sql::Database& database, const Clock& clock, std::string holder, Duration time);

    enum class Hold : std::uint8_t { none, taken, kept };
    // Takes the lease if it is free, or renews it when a third of its time has passed. taken: what
    // this relay remembers of earlier times is void. Throws sql::Failure.
    Hold hold();
    // The next hold() says taken, not kept.
    void forget() { taken_at_.reset(); }
    // Lets go of it, if held. Throws sql::Failure.
    void release();

private:
    sql::Database& database_;
    const Clock& clock_;
    const std::string holder_;
    const Duration time_;
    std::optional<Instant> taken_at_;  // or renewed
};

}  // namespace trackops::outbox
