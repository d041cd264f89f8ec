#include "platform/relay/poll_source_postgres.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "platform/outbox/stored_event.hpp"
#include "platform/relay/postgres_checkpoint.hpp"

namespace trackops::relay {
namespace {

// One statement sees one snapshot: it returns the rows that `base` does not see, and the snapshot
// that sees them. The inner limit keeps the statement from gathering a whole backlog. When the
// limit is reached the rows are an arbitrary part, and the window is read by pages.
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

// The functions hide xid from the planner, which would otherwise sort the window for each page. So
// the primary key serves the statement, from the cursor on. The scalar subqueries are evaluated
// once.
constexpr sql::Query page_window{.name = "relay.page", .text = R"sql(
    SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id,
           traceparent, tracestate, occurred_at
    FROM outbox_events
    WHERE position > $1::bigint
      AND pg_visible_in_snapshot(xid, (SELECT $3::text::pg_snapshot))
      AND NOT pg_visible_in_snapshot(xid, (SELECT $2::text::pg_snapshot))
    ORDER BY position LIMIT $4::bigint
)sql"};

// Finds the beginning of a large window, once a window. It reads the whole window, so it may take
// longer than the usual timeouts allow.
constexpr Duration long_statement_time = std::chrono::minutes(5);
constexpr sql::Query allow_long_statement{
    .name = "relay.patience", .text = "SELECT set_config('statement_timeout', '300000', true)"};
constexpr sql::Query find_lowest{.name = "relay.lowest", .text = R"sql(
    SELECT min(position) FROM (
        SELECT position FROM outbox_events WHERE xid >= $1::text::xid8
        UNION ALL
        SELECT position FROM outbox_events
        WHERE xid = ANY (string_to_array($2::text, ',')::xid8[])) AS fresh
)sql"};

constexpr sql::Query find_left_over_slot{.name = "relay.slot.left", .text = R"sql(
    SELECT slot_name::text FROM pg_replication_slots
    WHERE database = current_database() AND NOT active AND slot_name LIKE 'trackops\_relay\_%'
    LIMIT 1
)sql"};

// After this number of transactions without an event a new checkpoint is stored.
constexpr std::uint64_t idle_transactions_max = 20'000;
// A window of at most this number of batches is gathered at once.
constexpr std::size_t gathered_batches_max = 4;

// The rows of a transaction are in no window before its commit and in exactly one afterwards,
// whenever the transaction drew its positions. Of two events of one key, the second was written
// under a lock that the first one's transaction held until its commit. So every snapshot that sees
// the second sees the first, and the first is in the same window with a lower position, or in an
// earlier window.
class PostgresPollSource final : public WindowSource {
public:
    explicit PostgresPollSource(sql::Database& database) : database_(database) {}

    std::string_view name() const override { return "poll"; }

    bool claim() override {
        if (!read_) find_place(*database_.begin(sql::Access::read));
        return true;
    }

    std::vector<outbox::StoredEvent> read(std::size_t max) override {
        const auto tx = database_.begin(sql::Access::read);
        if (!read_) find_place(*tx);
        std::vector<outbox::StoredEvent> events;
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
        save_checkpoint(*tx, *read_);
        tx->commit();
        confirmed_ = read_;
        is_anything_read_ = false;
    }

    void rewind() override {
        read_ = confirmed_ = std::nullopt;
        is_anything_read_ = false;
    }

    Backlog backlog(Instant now) override {
        Backlog backlog = count_backlog(database_, {}, now);
        const auto tx = database_.begin(sql::Access::read);
        const sql::Statement& left = tx->add(find_left_over_slot, {});
        tx->commit();
        if (!left.rows().empty()) {
            backlog.warning =
                "nobody reads the replication slot " + left.rows()[0].text(0) +
                ", and the server keeps its log for it: drop it if the source stays poll";
        }
        return backlog;
    }

    std::vector<outbox::StoredEvent> unconfirmed(std::int64_t after, std::size_t max) override {
        return list_unconfirmed(database_, {}, after, max);
    }

    std::optional<outbox::Snapshot> done() const override {
        if (!read_ || read_->target || is_anything_read_) return std::nullopt;
        return read_->base;
    }

private:
    void find_place(sql::Transaction& tx) { confirmed_ = read_ = load_checkpoint(tx).window; }

    // Reads the events that have become visible since `base`; no window is open.
    static std::vector<outbox::StoredEvent> poll(sql::Transaction& tx, Window& at,
                                                 std::size_t max) {
        const std::size_t gathered_max = gathered_batches_max * max;
        const sql::Statement& found =
            tx.add(poll_window,
                   {std::to_string(at.base.xmax), at.base.xip,
                    static_cast<std::int64_t>(gathered_max + 1), static_cast<std::int64_t>(max)});
        tx.flush();
        const sql::Row& first = found.rows().at(0);
        outbox::Snapshot target = snapshot_of(first.text(0));
        // Only a database that was restored from a backup has seen less than its own checkpoint.
        // Going on would skip events silently.
        if (target.xmax < at.base.xmax) {
            throw sql::Failure(sql::Fault::defect, "",
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
        std::vector<outbox::StoredEvent> events;
        events.reserve(found.rows().size());
        for (const sql::Row& row : found.rows()) events.push_back(outbox::stored_event(row, 2));
        if (events.size() == count) {
            at = {std::move(target), {}, 0};
        } else {
            at = {std::move(at.base), std::move(target), events.back().position};
        }
        return events;
    }

    // Reads the next events of the open window. After fewer than `max` the window is drained, and
    // its target becomes the base.
    static std::vector<outbox::StoredEvent> page(sql::Transaction& tx, Window& at,
                                                 std::size_t max) {
        const sql::Statement& found = tx.add(page_window, {at.cursor, at.base.text, at.target->text,
                                                           static_cast<std::int64_t>(max)});
        tx.flush();
        std::vector<outbox::StoredEvent> events = outbox::stored_events(found.rows());
        if (events.size() < max) {
            at = {*std::move(at.target), {}, 0};
        } else {
            at.cursor = events.back().position;
        }
        return events;
    }

    static std::int64_t find_start(sql::Transaction& tx, const Window& at) {
        tx.extend(long_statement_time);
        tx.add(allow_long_statement, {});
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

std::unique_ptr<WindowSource> make_postgres_poll_source(sql::Database& database) {
    return std::make_unique<PostgresPollSource>(database);
}

}  // namespace trackops::relay
