#include <algorithm>
#include <optional>
#include <utility>

#include "platform/outbox/poll_sources.hpp"
#include "platform/outbox/snapshot.hpp"
#include "platform/outbox/stored_event.hpp"

namespace trackops::outbox {
namespace {

constexpr sql::Query load_checkpoint{
    .name = "relay.checkpoint.load",
    .text = "SELECT base::text, target::text, cursor FROM relay.checkpoint"};

constexpr sql::Query save_checkpoint{.name = "relay.checkpoint.save", .text = R"sql(
    INSERT INTO relay.checkpoint (id, base, target, cursor)
    VALUES (1, $1::text::pg_snapshot, $2::text::pg_snapshot, $3::bigint)
    ON CONFLICT (id) DO UPDATE
    SET base = excluded.base, target = excluded.target, cursor = excluded.cursor
)sql"};

// One statement is one snapshot: it returns the rows that base does not see, and the snapshot that
// sees them. The limit within keeps a backlog from being gathered whole; when it is reached, the
// rows are any, and the window is read by pages.
constexpr sql::Query poll_window{.name = "relay.poll", .text = R"sql(
    WITH fresh AS MATERIALIZED (
        (SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id,
                causation_id, traceparent, tracestate, occurred_at
         FROM outbox_events WHERE xid >= $1::text::xid8 ORDER BY xid LIMIT $3::bigint)
        UNION ALL
        (SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id,
                causation_id, traceparent, tracestate, occurred_at
         FROM outbox_events WHERE xid = ANY (string_to_array($2::text, ',')::xid8[])
         LIMIT $3::bigint)
    )
    SELECT pg_current_snapshot()::text, (SELECT count(*) FROM fresh), page.*
    FROM (SELECT 1) AS always
    LEFT JOIN (SELECT * FROM fresh ORDER BY position LIMIT $4::bigint) AS page ON true
    ORDER BY page.position
)sql"};

// Only the primary key can serve this, from the cursor on: the functions hide xid from the planner,
// which would sort the window for each page. The scalar subqueries are worked out once.
constexpr sql::Query page_window{.name = "relay.page", .text = R"sql(
    SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id,
           traceparent, tracestate, occurred_at
    FROM outbox_events
    WHERE position > $1::bigint
      AND pg_visible_in_snapshot(xid, (SELECT $3::text::pg_snapshot))
      AND NOT pg_visible_in_snapshot(xid, (SELECT $2::text::pg_snapshot))
    ORDER BY position LIMIT $4::bigint
)sql"};

// Where a large window begins, once a window; looks at all of it, so it may take longer than a
// statement usually may.
constexpr sql::Query take_patience{
    .name = "relay.patience", .text = "SELECT set_config('statement_timeout', '300000', true)"};
constexpr sql::Query find_lowest{.name = "relay.lowest", .text = R"sql(
    SELECT min(position) FROM (
        SELECT position FROM outbox_events WHERE xid >= $1::text::xid8
        UNION ALL
        SELECT position FROM outbox_events
        WHERE xid = ANY (string_to_array($2::text, ',')::xid8[])) AS fresh
)sql"};

constexpr sql::Query count_backlog{.name = "relay.backlog", .text = R"sql(
    SELECT count(*), min(occurred_at) FROM (
        (SELECT occurred_at FROM outbox_events
         WHERE xid >= $1::text::xid8
           AND (position > $4::bigint
                OR NOT pg_visible_in_snapshot(xid, (SELECT $3::text::pg_snapshot)))
         ORDER BY xid LIMIT $5::bigint)
        UNION ALL
        (SELECT occurred_at FROM outbox_events
         WHERE xid = ANY (string_to_array($2::text, ',')::xid8[])
           AND (position > $4::bigint
                OR NOT pg_visible_in_snapshot(xid, (SELECT $3::text::pg_snapshot)))
         LIMIT $5::bigint)
        LIMIT $5::bigint) AS fresh
)sql"};

constexpr sql::Query list_unconfirmed{.name = "relay.unconfirmed", .text = R"sql(
    SELECT * FROM (
        (SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id,
                causation_id, traceparent, tracestate, occurred_at
         FROM outbox_events
         WHERE xid >= $1::text::xid8 AND position > $6::bigint
           AND (position > $4::bigint
                OR NOT pg_visible_in_snapshot(xid, (SELECT $3::text::pg_snapshot)))
         ORDER BY xid LIMIT $5::bigint)
        UNION ALL
        (SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id,
                causation_id, traceparent, tracestate, occurred_at
         FROM outbox_events
         WHERE xid = ANY (string_to_array($2::text, ',')::xid8[]) AND position > $6::bigint
           AND (position > $4::bigint
                OR NOT pg_visible_in_snapshot(xid, (SELECT $3::text::pg_snapshot)))
         LIMIT $5::bigint)) AS fresh
    ORDER BY position LIMIT $7::bigint
)sql"};

// So many transactions without an event are worth a new checkpoint.
constexpr std::uint64_t idle_transactions_max = 20'000;
// Windows of up to so many batches are gathered at once.
constexpr std::size_t gathered_batches_max = 4;

// What base sees is done with. While target is set, a window is open: what target sees and base
// does not, done with up to cursor.
struct Window {
    Snapshot base;
    std::optional<Snapshot> target;
    std::int64_t cursor = 0;
    bool operator==(const Window&) const = default;
};

Snapshot snapshot(const std::string& text) {
    auto parsed = Snapshot::parse(text);
    if (!parsed) throw std::logic_error("no snapshot: " + text);
    return *std::move(parsed);
}

sql::Params window_params(const Window& at) {
    const Snapshot& target = at.target ? *at.target : at.base;
    return {std::to_string(at.base.xmax), at.base.xip, target.text, at.cursor};
}

std::vector<StoredEvent> stored_events(const std::vector<sql::Row>& rows) {
    std::vector<StoredEvent> events;
    events.reserve(rows.size());
    for (const sql::Row& row : rows) events.push_back(stored_event(row));
    return events;
}

// A transaction's rows stand in no window before it commits and in exactly one afterwards, whenever
// it drew its positions. Two events of one key: the second was written under a lock that the first
// one's transaction held until its commit, so every snapshot that sees the second sees the first:
// it is in the same window with a lower position, or in an earlier one.
class PostgresPollSource final : public Source {
public:
    explicit PostgresPollSource(sql::Database& database) : database_(database) {}

    std::string_view name() const override { return "poll"; }

    std::vector<StoredEvent> read(std::size_t max) override {
        const auto tx = database_.begin(sql::Access::read);
        if (!read_) confirmed_ = read_ = stored(*tx);
        std::vector<StoredEvent> events;
        if (read_->target) events = page(*tx, *read_, max);
        if (events.empty()) events = poll(*tx, *read_, max);
        is_anything_read_ |= !events.empty();
        return events;
    }

    void confirm() override {
        if (read_ == confirmed_) return;
        const bool is_window_closed = confirmed_->target && !read_->target;
        const bool is_far = read_->base.xmax - confirmed_->base.xmax >= idle_transactions_max;
        if (!is_anything_read_ && !is_window_closed && !is_far) return;
        const auto tx = database_.begin(sql::Access::write);
        sql::Value target = sql::Null{};
        if (read_->target) target = read_->target->text;
        tx->add(save_checkpoint, {read_->base.text, std::move(target), read_->cursor});
        tx->commit();
        confirmed_ = read_;
        is_anything_read_ = false;
    }

    void rewind() override {
        read_ = confirmed_ = std::nullopt;
        is_anything_read_ = false;
    }

    Backlog backlog(Instant now) override {
        const auto tx = database_.begin(sql::Access::read);
        const Window at = stored(*tx);
        sql::Params params = window_params(at);
        params.emplace_back(backlog_counted_max);
        const sql::Statement& counted = tx->add(count_backlog, std::move(params));
        tx->commit();
        const sql::Row& row = counted.rows().at(0);
        const Instant oldest = row.maybe_instant(1).value_or(now);
        std::string position = at.base.text;
        if (at.target) position += " -> " + at.target->text + " @ " + std::to_string(at.cursor);
        return {row.integer(0), std::max(now - oldest, Duration::zero()), std::move(position)};
    }

    std::vector<StoredEvent> unconfirmed(std::int64_t after, std::size_t max) override {
        const auto tx = database_.begin(sql::Access::read);
        sql::Params params = window_params(stored(*tx));
        params.emplace_back(backlog_counted_max);
        params.emplace_back(after);
        params.emplace_back(static_cast<std::int64_t>(max));
        const sql::Statement& found = tx->add(list_unconfirmed, std::move(params));
        tx->commit();
        return stored_events(found.rows());
    }

private:
    static Window stored(sql::Transaction& tx) {
        const sql::Statement& found = tx.add(load_checkpoint, {});
        tx.flush();
        if (found.rows().empty()) return {snapshot(std::string(snapshot_before_everything)), {}, 0};
        const sql::Row& row = found.rows().front();
        Window window{snapshot(row.text(0)), {}, row.integer(2)};
        if (const auto target = row.maybe_text(1)) window.target = snapshot(*target);
        return window;
    }

    // No window is open: everything that has become visible since base.
    static std::vector<StoredEvent> poll(sql::Transaction& tx, Window& at, std::size_t max) {
        const std::size_t gathered_max = gathered_batches_max * max;
        const sql::Statement& found =
            tx.add(poll_window,
                   {std::to_string(at.base.xmax), at.base.xip,
                    static_cast<std::int64_t>(gathered_max + 1), static_cast<std::int64_t>(max)});
        tx.flush();
        const sql::Row& first = found.rows().at(0);
        Snapshot target = snapshot(first.text(0));
        // Only a database that was restored elsewhere has seen less than its own checkpoint. To go
        // on would skip events in silence.
        if (target.xmax < at.base.xmax) {
            throw sql::Failure(sql::Fault::broken, "",
                               "the relay's checkpoint is ahead of the database's transactions: "
                               "restored from a dump? delete the row of relay.checkpoint");
        }
        const auto count = static_cast<std::size_t>(first.integer(1));
        if (count > gathered_max) {
            const std::int64_t lowest = find_start(tx, at);
            at = {std::move(at.base), std::move(target), lowest - 1};
            return page(tx, at, max);
        }
        if (count == 0) {
            at = {std::move(target), {}, 0};
            return {};
        }
        std::vector<StoredEvent> events;
        events.reserve(found.rows().size());
        for (const sql::Row& row : found.rows()) events.push_back(stored_event(row, 2));
        if (events.size() == count) {
            at = {std::move(target), {}, 0};
        } else {
            at = {std::move(at.base), std::move(target), events.back().position};
        }
        return events;
    }

    // The next events of the open window. Fewer than max: it is drained, and its target is the next
    // base.
    static std::vector<StoredEvent> page(sql::Transaction& tx, Window& at, std::size_t max) {
        const sql::Statement& found = tx.add(page_window, {at.cursor, at.base.text, at.target->text,
                                                           static_cast<std::int64_t>(max)});
        tx.flush();
        std::vector<StoredEvent> events = stored_events(found.rows());
        if (events.size() < max) {
            at = {*std::move(at.target), {}, 0};
        } else {
            at.cursor = events.back().position;
        }
        return events;
    }

    static std::int64_t find_start(sql::Transaction& tx, const Window& at) {
        tx.add(take_patience, {});
        const sql::Statement& found =
            tx.add(find_lowest, {std::to_string(at.base.xmax), at.base.xip});
        tx.flush();
        return found.rows().at(0).integer(0);
    }

    sql::Database& database_;
    std::optional<Window> read_;
    std::optional<Window> confirmed_;
    bool is_anything_read_ = false;  // since the last confirm()
};

}  // namespace

std::unique_ptr<Source> make_postgres_poll_source(sql::Database& database) {
    return std::make_unique<PostgresPollSource>(database);
}

}  // namespace trackops::outbox
