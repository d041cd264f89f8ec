#include "platform/outbox/lease.hpp"

#include <stdexcept>
#include <utility>

#include "platform/outbox/without_disk.hpp"

namespace trackops::outbox {
namespace {

constexpr sql::Query look_at_lease{
    .name = "relay.lease.look",
    .text = "SELECT 1 FROM relay_lease WHERE holder <> $1 AND expires_at > $2",
    .postgres = "SELECT 1 FROM relay.lease WHERE holder <> $1 AND expires_at > $2"};

constexpr sql::Query take_lease{.name = "relay.lease.take",
                                .text = R"sql(
    INSERT INTO relay_lease (id, holder, expires_at) VALUES (1, $1, $3)
    ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
    WHERE relay_lease.holder = excluded.holder OR relay_lease.expires_at <= $2
)sql",
                                .postgres = R"sql(
    INSERT INTO relay.lease (id, holder, expires_at) VALUES (1, $1, $3)
    ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
    WHERE lease.holder = excluded.holder OR lease.expires_at <= $2
)sql"};

constexpr sql::Query release_lease{.name = "relay.lease.release",
                                   .text = "DELETE FROM relay_lease WHERE holder = $1",
                                   .postgres = "DELETE FROM relay.lease WHERE holder = $1"};

}  // namespace

Lease::Lease(sql::Database& database, const Clock& clock, std::string holder, Duration time)
    : database_(database), clock_(clock), holder_(std::move(holder)), time_(time) {
    if (holder_.empty()) throw std::invalid_argument("a relay needs a holder's name for its lease");
}

Lease::Hold Lease::hold() {
    const Instant now = clock_.now();
    if (taken_at_ && now < *taken_at_ + time_ / 3) return Hold::kept;
    const bool is_mine_still = taken_at_ && now < *taken_at_ + time_;
    if (!is_mine_still) {
        taken_at_.reset();
        const auto tx = database_.begin(sql::Access::read);  // one that waits writes nothing
        const sql::Statement& held = tx->add(look_at_lease, {holder_, now});
        tx->commit();
        if (!held.rows().empty()) return Hold::none;
    }
    const auto tx = database_.begin(sql::Access::write);
    tx->add(do_not_wait_for_disk, {});
    const sql::Statement& taken = tx->add(take_lease, {holder_, now, now + time_});
    tx->commit();
    if (taken.affected() == 0) {
        taken_at_.reset();
        return Hold::none;
    }
    taken_at_ = now;
    return is_mine_still ? Hold::kept : Hold::taken;
}

void Lease::release() {
    if (!std::exchange(taken_at_, std::nullopt)) return;
    const auto tx = database_.begin(sql::Access::write);
    tx->add(release_lease, {holder_});
    tx->commit();
}

}  // namespace trackops::outbox
