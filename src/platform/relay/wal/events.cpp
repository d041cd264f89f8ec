#include "platform/relay/wal/events.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace trackops::relay {
namespace {

constexpr std::string_view table = "outbox_events";
constexpr auto names = std::to_array<std::string_view>(
    {"position", "event_id", "aggregate_id", "type", "sequence", "payload", "correlation_id",
     "causation_id", "traceparent", "tracestate", "occurred_at", "xid"});

// The values of a row in the order of `names`.
using Values = std::array<std::string_view, names.size()>;

std::unexpected<Error> bad_value(std::size_t column) {
    return fail(Errc::malformed,
                fmt::format("the replication stream brings a bad {}.{}", table, names[column]));
}

template <class Integer>
Result<Integer> read_integer(const Values& values, std::size_t column) {
    const std::string_view text = values[column];
    Integer value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc{} || end != text.data() + text.size()) return bad_value(column);
    return value;
}

Result<Uuid> read_uuid(const Values& values, std::size_t column) {
    const auto value = Uuid::parse(values[column]);
    if (!value) return bad_value(column);
    return *value;
}

// "2023-11-14 22:13:20.123456+00": the session's DateStyle is ISO and its time zone UTC.
Result<Instant> read_instant(const Values& values, std::size_t column) {
    const auto value = Instant::parse(std::string(values[column]) + ":00");
    if (!value) return bad_value(column);
    return *value;
}

Result<outbox::StoredEvent> read_event(const Values& values) {
    outbox::StoredEvent stored;
    stored.position = TRY(read_integer<std::int64_t>(values, 0));
    stored.event.id = TRY(read_uuid(values, 1));
    stored.event.key = TRY(read_uuid(values, 2));
    stored.event.type = values[3];
    stored.event.sequence = TRY(read_integer<std::int64_t>(values, 4));
    stored.event.payload = values[5];
    stored.event.correlation_id = values[6];
    stored.event.causation_id = values[7];
    stored.event.traceparent = values[8];
    stored.event.tracestate = values[9];
    stored.event.occurred_at = TRY(read_instant(values, 10));
    return stored;
}

}  // namespace

WalEvents::WalEvents(WalPosition from, outbox::Snapshot published)
    : published_(std::move(published)), at_(from), skipped_up_to_(from.cursor) {
    static_assert(names.size() == columns_needed);
}

Result<bool> WalEvents::take(std::string_view bytes, std::deque<WalStep>& steps) {
    const pgoutput::Frame frame = TRY(pgoutput::read_frame(bytes));
    if (const auto* keepalive = std::get_if<pgoutput::Keepalive>(&frame)) {
        if (!is_in_transaction_) advance_to(keepalive->end, steps);
        return keepalive->wants_reply;
    }
    const auto message = TRY(pgoutput::read_message(std::get<pgoutput::Data>(frame).message));
    const Result<void> taken = take_message(message, steps);
    if (!taken) return std::unexpected(taken.error());
    return false;
}

Result<void> WalEvents::take_message(const pgoutput::Message& message, std::deque<WalStep>& steps) {
    if (std::holds_alternative<pgoutput::Begin>(message)) {
        if (is_in_transaction_) return fail(Errc::malformed, "a transaction begins within another");
        is_in_transaction_ = true;
        has_events_ = false;
    } else if (const auto* commit = std::get_if<pgoutput::Commit>(&message)) {
        if (!is_in_transaction_) return fail(Errc::malformed, "a commit without its beginning");
        is_in_transaction_ = false;
        if (has_events_) skipped_up_to_ = 0;
        advance_to(commit->end, steps);
    } else if (const auto* relation = std::get_if<pgoutput::Relation>(&message)) {
        return learn(*relation);
    } else if (const auto* insert = std::get_if<pgoutput::Insert>(&message)) {
        return take_insert(*insert, steps);
    } else {
        ++ignored_;
    }
    return {};
}

Result<void> WalEvents::learn(const pgoutput::Relation& relation) {
    Layout& layout = layouts_[relation.id];
    layout.reset();
    if (relation.name != table) return {};
    std::array<std::size_t, columns_needed> places{};
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto found = std::ranges::find(relation.columns, names[i]);
        if (found == relation.columns.end()) {
            return fail(Errc::malformed, fmt::format("the replication stream's {} has no column {}",
                                                     table, names[i]));
        }
        places[i] = static_cast<std::size_t>(found - relation.columns.begin());
    }
    layout = places;
    return {};
}

Result<void> WalEvents::take_insert(const pgoutput::Insert& insert, std::deque<WalStep>& steps) {
    if (!is_in_transaction_) return fail(Errc::malformed, "an insert outside of a transaction");
    const auto layout = layouts_.find(insert.relation);
    if (layout == layouts_.end()) return fail(Errc::malformed, "an insert into an unknown table");
    if (!layout->second) {
        ++ignored_;
        return {};
    }
    Values values;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::size_t place = (*layout->second)[i];
        if (place >= insert.values.size() || !insert.values[place]) return bad_value(i);
        values[i] = *insert.values[place];
    }
    const auto xid = TRY(read_integer<std::uint64_t>(values, columns_needed - 1));
    if (published_.sees(xid)) return {};
    has_events_ = true;
    outbox::StoredEvent stored = TRY(read_event(values));
    if (stored.position <= skipped_up_to_) return {};
    at_.cursor = stored.position;
    steps.push_back({std::move(stored), xid, at_});
    return {};
}

// The server resends a transaction from its beginning. So while a transaction is confirmed in part,
// its cursor belongs to every position before its end.
void WalEvents::advance_to(pgoutput::Lsn lsn, std::deque<WalStep>& steps) {
    if (lsn < at_.lsn) return;
    at_ = {lsn, skipped_up_to_};
    if (!steps.empty() && !steps.back().event) {
        steps.back().after = at_;
    } else {
        steps.push_back({std::nullopt, 0, at_});
    }
}

}  // namespace trackops::relay
