#include "platform/relay/poll_source_sqlite.hpp"

#include <algorithm>
#include <optional>

#include "platform/outbox/stored_event.hpp"

namespace trackops::relay {
namespace {

constexpr sql::Query load_checkpoint{.name = "relay.checkpoint.load",
                                     .text = "SELECT position FROM relay_checkpoint"};

constexpr sql::Query save_checkpoint{.name = "relay.checkpoint.save", .text = R"sql(
    INSERT INTO relay_checkpoint (id, position) VALUES (1, $1)
    ON CONFLICT (id) DO UPDATE SET position = excluded.position
)sql"};

constexpr sql::Query read_events{.name = "relay.read", .text = R"sql(
    SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id,
           traceparent, tracestate, occurred_at
    FROM outbox_events WHERE position > $1 ORDER BY position LIMIT $2
)sql"};

constexpr sql::Query count_backlog{.name = "relay.backlog", .text = R"sql(
    SELECT count(*), min(occurred_at)
    FROM (SELECT occurred_at FROM outbox_events WHERE position > $1 ORDER BY position LIMIT $2)
)sql"};

// SQLite has one writer at a time, so positions become visible in their order, and the highest
// position that was read is the checkpoint.
class SqlitePollSource final : public Source {
public:
    explicit SqlitePollSource(sql::Database& database) : database_(database) {}

    std::string_view name() const override { return "poll"; }

    bool claim() override {
        if (!read_) find_place(*database_.begin(sql::Access::read));
        return true;
    }

    std::vector<outbox::StoredEvent> read(std::size_t max) override {
        const auto tx = database_.begin(sql::Access::read);
        if (!read_) find_place(*tx);
        std::vector<outbox::StoredEvent> events = after(*tx, *read_, max);
        if (!events.empty()) read_ = events.back().position;
        return events;
    }

    void confirm() override {
        if (read_ == confirmed_) return;
        const auto tx = database_.begin(sql::Access::write);
        tx->add(save_checkpoint, {*read_});
        tx->commit();
        confirmed_ = read_;
    }

    void rewind() override { read_ = confirmed_ = std::nullopt; }

    Backlog backlog(Instant now) override {
        const auto tx = database_.begin(sql::Access::read);
        const std::int64_t position = stored(*tx);
        const sql::Statement& counted = tx->add(count_backlog, {position, backlog_counted_max});
        tx->commit();
        const sql::Row& row = counted.rows().at(0);
        const Instant oldest = row.maybe_instant(1).value_or(now);
        return {.events = row.integer(0),
                .oldest_age = std::max(now - oldest, Duration::zero()),
                .position = std::to_string(position)};
    }

    std::vector<outbox::StoredEvent> unconfirmed(std::int64_t position, std::size_t max) override {
        const auto tx = database_.begin(sql::Access::read);
        return after(*tx, std::max(position, stored(*tx)), max);
    }

private:
    void find_place(sql::Transaction& tx) { confirmed_ = read_ = stored(tx); }

    static std::int64_t stored(sql::Transaction& tx) {
        const sql::Statement& found = tx.add(load_checkpoint, {});
        tx.flush();
        return found.rows().empty() ? 0 : found.rows().front().integer(0);
    }

    static std::vector<outbox::StoredEvent> after(sql::Transaction& tx, std::int64_t position,
                                                  std::size_t max) {
        const sql::Statement& found =
            tx.add(read_events, {position, static_cast<std::int64_t>(max)});
        tx.flush();
        return outbox::stored_events(found.rows());
    }

    sql::Database& database_;
    std::optional<std::int64_t> read_;
    std::optional<std::int64_t> confirmed_;
};

}  // namespace

std::unique_ptr<Source> make_sqlite_poll_source(sql::Database& database) {
    return std::make_unique<SqlitePollSource>(database);
}

}  // namespace trackops::relay
