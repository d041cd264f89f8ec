#include "platform/relay/wal/source.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "platform/postgres/target.hpp"
#include "platform/relay/poll_source_postgres.hpp"
#include "platform/relay/postgres_checkpoint.hpp"
#include "platform/relay/wal/connection.hpp"
#include "platform/relay/wal/events.hpp"
#include "platform/relay/wal/meters.hpp"
#include "platform/relay/wal/slot.hpp"
#include "platform/telemetry/log.hpp"

namespace trackops::relay {
namespace {

using Steady = std::chrono::steady_clock;
using pgoutput::Lsn;

// PostgreSQL asks for a reply when half of its timeout has passed.
constexpr int replies_a_timeout = 8;
// Between two looks at events that must not leave yet.
constexpr Duration visibility_poll_interval = std::chrono::milliseconds(1);

Instant wall_clock() {
    return {
        std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
            .count()};
}

// The source streams events from the position of the stored checkpoint, without those that the
// checkpoint's base sees. The server may discard only the log before a *stored* position. So a slot
// that is not ahead of the checkpoint is the one it was stored with, or at least skips nothing. For
// any other slot the source repairs: it polls events from the checkpoint on, until the base sees
// every transaction that the log will not bring; then it streams.
class PostgresWalSource final : public WalSource {
public:
    PostgresWalSource(sql::Database& database, std::string_view url, WalOptions options,
                      telemetry::Registry& metrics)
        : database_(database),
          url_(url),
          options_(std::move(options)),
          meters_(metrics, {{"slot", options_.slot}}) {}

    ~PostgresWalSource() override {
        try {
            if (events_ && confirmed_ != stored_) store();
        } catch (const std::exception& failure) {
            telemetry::log(
                telemetry::Level::warn, "relay",
                "the last confirmed events will come again: the checkpoint is not stored",
                {{"slot", options_.slot}, {"error", failure.what()}});
        }
    }

    std::string_view name() const override { return "wal"; }

    bool claim() override {
        return guarded([this] {
            if (!connection_) return open();
            if (events_ &&
                Steady::now() >= replied_at_ + options_.sender_timeout / replies_a_timeout)
                reply();
            return true;
        });
    }

    std::vector<outbox::StoredEvent> read(std::size_t max) override {
        if (!claim()) return {};
        return guarded([&]() -> std::vector<outbox::StoredEvent> {
            if (poll_ && !switch_to_streaming()) return poll_ ? poll_->read(max) : no_events();
            receive(max);
            return take_events(max);
        });
    }

    bool await(Duration at_most) override {
        if (!events_) return false;
        return guarded([&] {
            connection_->await(steps_.empty() ? at_most
                                              : std::min(at_most, visibility_poll_interval));
            return true;
        });
    }

    void confirm() override {
        guarded([this] {
            if (poll_) return poll_->confirm();
            if (!events_) return;
            confirmed_ = given_;
            has_news_ |= !given_positions_.empty();
            {
                const std::scoped_lock lock(mutex_);
                for (const auto& [xid, up_to] : given_positions_) done_[xid] = up_to;
            }
            given_positions_.clear();
            if (should_store_checkpoint()) store();
        });
    }

    void rewind() override {
        connection_.reset();
        events_.reset();
        poll_.reset();
        is_creating_ = false;
        horizon_.reset();
        steps_.clear();
        events_waiting_ = 0;
        sight_.reset();
        is_base_new_ = has_news_ = is_asked_ = false;
        given_positions_.clear();
        const std::scoped_lock lock(mutex_);
        done_.clear();
    }

    Backlog backlog(Instant now) override {
        Backlog backlog = count_backlog(database_, done(), now);
        const auto tx = database_.begin(sql::Access::read);
        const SlotState slot = read_slot_state(*tx, options_.slot);
        tx->commit();
        meters_.retained_bytes.set(static_cast<double>(slot.retained_bytes));
        retained_bytes_ =
            static_cast<std::uint64_t>(std::max<std::int64_t>(slot.retained_bytes, 0));
        backlog.warning = slot.warning();
        return backlog;
    }

    std::vector<outbox::StoredEvent> unconfirmed(std::int64_t after, std::size_t max) override {
        return list_unconfirmed(database_, done(), after, max);
    }

    bool is_streaming() const override { return events_.has_value(); }

    bool has_received(Lsn lsn, std::size_t max) override {
        if (!events_) return false;
        receive(max);
        const Lsn advance_to = steps_.empty() ? given_.lsn : steps_.back().after.lsn;
        return advance_to >= lsn || events_waiting_ >= max;
    }

private:
    static std::vector<outbox::StoredEvent> no_events() { return {}; }

    // After a failure the known state of the stream is void, and the slot is freed.
    template <class Work>
    auto guarded(Work work) -> decltype(work()) {
        try {
            return work();
        } catch (const sql::Failure& failure) {
            // This part of the log was written before the publication existed: only a new slot
            // helps.
            if (failure.sqlstate == "42704" && events_) is_slot_unusable_ = true;
            rewind();
            throw;
        } catch (...) {
            rewind();
            throw;
        }
    }

    // Returns false when another connection has the slot.
    bool open() {
        const auto tx = database_.begin(sql::Access::read);
        const Checkpoint checkpoint = load_checkpoint(*tx);
        const SlotState slot = read_slot_state(*tx, options_.slot);
        require_publication(*tx, options_.publication);
        tx->commit();
        if (slot.is_active) {
            // The session waits for open transactions and does not notice that its client died.
            if (!slot.confirmed) terminate_slot_creator(database_, options_.slot);
            return false;
        }
        connection_.emplace(url_, options_.sender_timeout);
        std::string_view fault;
        if (checkpoint.is_first) {
            fault = "first start";
        } else if (!slot.exists) {
            fault = "the slot is missing";
        } else if (slot.is_lost()) {
            fault = "the slot was invalidated";
        } else if (is_slot_unusable_) {
            fault = "the log lacks the publication";
        } else if (!checkpoint.wal) {
            fault = "the checkpoint is of another source";
        } else if (!slot.confirmed || *slot.confirmed > checkpoint.wal->lsn) {
            fault = "the slot was made anew";
        } else {
            return stream_from(checkpoint.window.base, *checkpoint.wal);
        }
        repair(fault, checkpoint, slot);
        return true;
    }

    void repair(std::string_view fault, const Checkpoint& checkpoint, const SlotState& slot) {
        const auto tx = database_.begin(sql::Access::read);
        const Waiting doubtful = count_waiting(*tx, checkpoint.window, {});
        tx->commit();
        telemetry::log(
            checkpoint.is_first ? telemetry::Level::info : telemetry::Level::warn, "relay",
            "events are polled from the checkpoint on until the log can be read; those in doubt "
            "are published, perhaps again",
            {{"slot", options_.slot},
             {"reason", std::string(fault)},
             {"in_doubt", std::to_string(doubtful.events)},
             {"first_position", std::to_string(doubtful.first)},
             {"last_position", std::to_string(doubtful.last)},
             {"checkpoint", checkpoint.window.base.text}});
        meters_.repairs.add();
        meters_.in_doubt.add(static_cast<double>(doubtful.events));
        poll_ = make_postgres_poll_source(database_);
        const bool is_usable = slot.exists && !slot.is_lost() && !is_slot_unusable_;
        if (slot.exists && !is_usable) drop_slot(database_, options_.slot);
        is_slot_unusable_ = false;
        if (!is_usable) {
            connection_->create_slot(options_.slot);
            is_creating_ = true;
        }
    }

    // Returns true once the log brings every event that is not published yet.
    bool switch_to_streaming() {
        if (is_creating_) {
            using enum WalConnection::Creation;
            const auto creation = connection_->slot_creation();
            if (creation == taken) rewind();
            if (creation != made) return false;
            is_creating_ = false;
        }
        if (!horizon_) horizon_ = read_horizon(database_);
        const auto base = poll_->done();
        if (!base || base->xmin <= horizon_->xid) return false;
        const WalPosition from{horizon_->lsn, 0};
        const auto tx = database_.begin(sql::Access::write);
        save_checkpoint(*tx, *base, from);
        tx->commit();
        poll_.reset();
        horizon_.reset();
        return stream_from(*base, from);
    }

    bool stream_from(const outbox::Snapshot& base, const WalPosition& from) {
        if (!connection_->start(options_.slot, options_.publication, from.lsn)) {
            rewind();
            return false;
        }
        telemetry::log(telemetry::Level::info, "relay", "reads the log",
                       {{"slot", options_.slot}, {"from", from.lsn.text()}});
        events_.emplace(from, base);
        base_ = base;
        given_ = confirmed_ = stored_ = from;
        stored_at_ = Steady::now() - options_.checkpoint_interval;
        reply();
        return true;
    }

    void receive(std::size_t max) {
        while (events_waiting_ < max) {
            const auto frame = connection_->frame();
            if (!frame) return;
            const std::size_t before = steps_.size();
            const std::uint64_t ignored = events_->ignored();
            const auto taken = events_->take(*frame, steps_);
            if (!taken) throw sql::Failure(sql::Fault::defect, "", taken.error().detail);
            if (events_->ignored() > ignored) meters_.ignored.add();
            if (steps_.size() > before && steps_.back().event) ++events_waiting_;
            if (*taken) {
                is_asked_ = true;
                reply();
            }
        }
    }

    // Returns the events that every session sees by now. The log brings a commit a moment before
    // other sessions see it, and a consumer that answers the event must find its rows.
    std::vector<outbox::StoredEvent> take_events(std::size_t max) {
        std::optional<SnapshotAtLsn> now;
        if (events_waiting_ > 0 || is_snapshot_needed()) now = read_snapshot_at_lsn(database_);
        std::vector<outbox::StoredEvent> events;
        while (!steps_.empty()) {
            WalStep& step = steps_.front();
            if (step.event) {
                if (events.size() == max || !now->snapshot.sees(step.xid)) break;
                given_positions_[step.xid] = step.event->position;
                events.push_back(*std::move(step.event));
                --events_waiting_;
            }
            given_ = step.after;
            steps_.pop_front();
        }
        if (now && !sight_) sight_ = *std::move(now);
        return events;
    }

    // The base must come to see every confirmed event, also when no more events come.
    bool is_snapshot_needed() {
        const std::scoped_lock lock(mutex_);
        return !sight_ && !is_base_new_ && !done_.empty();
    }

    bool should_store_checkpoint() {
        if (sight_ && confirmed_.lsn >= sight_->lsn) {
            base_ = std::exchange(sight_, std::nullopt)->snapshot;
            is_base_new_ = true;
        }
        if (is_asked_ && confirmed_.lsn > stored_.lsn) return true;
        const bool is_far = confirmed_.lsn.bytes - stored_.lsn.bytes >= options_.idle_bytes_max;
        // After much log, the server frees it in two steps, each after a reply with a new position.
        const bool frees_log =
            retained_bytes_ > options_.idle_bytes_max && confirmed_.lsn > stored_.lsn;
        const bool is_due = Steady::now() >= stored_at_ + options_.checkpoint_interval;
        return is_due && (has_news_ || is_far || frees_log || (is_base_new_ && !done().empty()));
    }

    void store() {
        const auto tx = database_.begin(sql::Access::write);
        save_checkpoint(*tx, base_, confirmed_);
        tx->commit();
        stored_ = confirmed_;
        stored_at_ = Steady::now();
        is_base_new_ = has_news_ = is_asked_ = false;
        {
            const std::scoped_lock lock(mutex_);
            std::erase_if(done_, [this](const auto& each) { return base_.sees(each.first); });
        }
        reply();
    }

    void reply() {
        connection_->send(pgoutput::status_update(stored_.lsn, wall_clock()));
        replied_at_ = Steady::now();
    }

    ConfirmedPositions done() {
        const std::scoped_lock lock(mutex_);
        return done_;
    }

    sql::Database& database_;
    const std::string url_;
    const WalOptions options_;
    const WalMeters meters_;

    std::optional<WalConnection> connection_;
    bool is_slot_unusable_ = false;

    // During a repair.
    std::unique_ptr<WindowSource> poll_;
    bool is_creating_ = false;  // the slot
    std::optional<Horizon> horizon_;

    // While streaming.
    std::optional<WalEvents> events_;
    std::deque<WalStep> steps_;  // received, not returned by read()
    std::size_t events_waiting_ = 0;
    WalPosition given_;
    WalPosition confirmed_;
    WalPosition stored_;
    outbox::Snapshot base_;  // every event that it sees is confirmed
    std::optional<SnapshotAtLsn>
        sight_;                 // the next base, when everything before its lsn is confirmed
    bool is_base_new_ = false;  // and not stored
    bool has_news_ = false;     // events are confirmed and not stored
    bool is_asked_ = false;     // the server wants a reply; it may want to stop
    ConfirmedPositions given_positions_;             // since the last confirm()
    std::atomic<std::uint64_t> retained_bytes_ = 0;  // of the log, at the last backlog()
    Steady::time_point stored_at_;
    Steady::time_point replied_at_;

    std::mutex mutex_;
    ConfirmedPositions done_;  // confirmed, and not seen by the stored base
};

}  // namespace

std::unique_ptr<WalSource> make_wal_source(sql::Database& database, std::string_view url,
                                           WalOptions options, telemetry::Registry& metrics) {
    if (database.dialect() != sql::Dialect::postgres) {
        throw std::invalid_argument("the source wal needs PostgreSQL");
    }
    if (options.slot.empty()) {
        options.slot = slot_name(sql::postgres::parse_target(url, {}).database);
    }
    return std::make_unique<PostgresWalSource>(database, url, std::move(options), metrics);
}

}  // namespace trackops::relay
