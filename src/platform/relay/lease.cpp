#include "platform/relay/lease.hpp"

#include <stdexcept>
#include <utility>

#include "platform/relay/async_commit.hpp"

namespace trackops::relay {
namespace {

constexpr sql::Query renew_lease{
    .name = "relay.lease.renew",
    .text = "UPDATE relay_lease SET expires_at = $2 WHERE holder = $1",
    .postgres = "UPDATE relay.lease SET expires_at = $2 WHERE holder = $1"};

constexpr sql::Query select_lease{
    .name = "relay.lease.read",
    .text = "SELECT holder, expires_at FROM relay_lease WHERE holder <> $1",
    .postgres = "SELECT holder, expires_at FROM relay.lease WHERE holder <> $1"};

// Takes the lease only from the holder that was seen, and only if that holder has not renewed it.
constexpr sql::Query take_lease{.name = "relay.lease.take",
                                .text = R"sql(
    INSERT INTO relay_lease (id, holder, expires_at) VALUES (1, $1, $2)
    ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
    WHERE relay_lease.holder = excluded.holder
       OR (relay_lease.holder = $3 AND relay_lease.expires_at = $4)
)sql",
                                .postgres = R"sql(
    INSERT INTO relay.lease (id, holder, expires_at) VALUES (1, $1, $2)
    ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
    WHERE lease.holder = excluded.holder OR (lease.holder = $3 AND lease.expires_at = $4)
)sql"};

constexpr sql::Query lock_lease{.name = "relay.lease.lock",
                                .text = "UPDATE relay_lease SET holder = $1 WHERE holder = $1",
                                .postgres = "UPDATE relay.lease SET holder = $1 WHERE holder = $1"};

constexpr sql::Query release_lease{.name = "relay.lease.release",
                                   .text = "DELETE FROM relay_lease WHERE holder = $1",
                                   .postgres = "DELETE FROM relay.lease WHERE holder = $1"};

}  // namespace

Lease::Lease(sql::Database& database, const Clock& clock, std::string holder, Duration time)
    : database_(database), clock_(clock), holder_(std::move(holder)), time_(time) {
    if (holder_.empty()) throw std::invalid_argument("a relay needs a holder's name for its lease");
}

Lease::LeaseState Lease::acquire_or_renew() {
    const Instant now = clock_.now();
    if (taken_at_ && now >= *taken_at_ && now < *taken_at_ + time_ / 3) return LeaseState::kept;
    if (taken_at_) {
        if (write(renew_lease, {holder_, now + time_})) {
            taken_at_ = now;
            return LeaseState::kept;
        }
        taken_at_.reset();
    }
    if (!is_free(now)) return LeaseState::none;
    const Row from = seen_.value_or(Row{});
    if (!write(take_lease, {holder_, now + time_, from.holder, from.expires_at}))
        return LeaseState::none;
    seen_.reset();
    taken_at_ = now;
    return LeaseState::taken;
}

// A relay that waits for the lease writes nothing.
bool Lease::is_free(Instant now) {
    const auto tx = database_.begin(sql::Access::read);
    const sql::Statement& held = tx->add(select_lease, {holder_});
    tx->commit();
    if (held.rows().empty()) {
        seen_.reset();
        return true;
    }
    const sql::Row& row = held.rows().front();
    const Row found{row.text(0), row.instant(1)};
    if (seen_ != found || now < seen_since_) {
        seen_ = found;
        seen_since_ = now;
    }
    return found.expires_at <= now || now - seen_since_ >= time_;
}

// Returns false when the row was not as the statement demands.
bool Lease::write(const sql::Query& query, sql::Params params) {
    const auto tx = database_.begin(sql::Access::write);
    tx->add(async_commit, {});
    const sql::Statement& written = tx->add(query, std::move(params));
    tx->commit();
    return written.affected() > 0;
}

void Lease::release() {
    if (!std::exchange(taken_at_, std::nullopt)) return;
    const auto tx = database_.begin(sql::Access::write);
    tx->add(release_lease, {holder_});
    tx->commit();
}

bool lock_held_lease(sql::Transaction& tx, std::string_view holder) {
    const sql::Statement& locked = tx.add(lock_lease, {holder});
    tx.flush();
    return locked.affected() > 0;
}

}  // namespace trackops::relay
