#include "sim/sim_outbox.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/ranges.h>

namespace trackops::sim {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t begun_max = 3;

constexpr sql::Query last_event{.name = "sim.outbox.last",
                                .text = "SELECT coalesce(max(position), 0) FROM outbox_events"};
constexpr sql::Query events_behind{.name = "sim.outbox.behind", .text = R"sql(
    SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id,
           traceparent, tracestate, occurred_at
    FROM outbox_events WHERE position > $1 ORDER BY position
)sql"};
constexpr sql::Query save_low_water{.name = "sim.outbox.low_water", .text = R"sql(
    INSERT INTO relay_checkpoint (id, position) VALUES (1, $1)
    ON CONFLICT (id) DO UPDATE SET position = excluded.position
)sql"};

const std::string& text_of(const sql::Value& value) {
    return std::get<std::string>(value.variant());
}
std::int64_t number_of(const sql::Value& value) { return std::get<std::int64_t>(value.variant()); }

std::vector<sql::Value> columns_of(const sql::Row& row) {
    return {row.integer(0),         row.uuid(1), row.uuid(2), row.text(3), row.integer(4),
            sql::Json{row.text(5)}, row.text(6), row.text(7), row.text(8), row.text(9),
            row.instant(10)};
}

}  // namespace

// Each statement reads the state at the moment at which it is sent.
class SimOutbox::Reading final : public sql::Transaction {
public:
    explicit Reading(SimOutbox& outbox) : outbox_(outbox) {}

    sql::Statement& add(const sql::Query& query, sql::Params params) override {
        asked_.push_back(std::make_unique<Asked>(query.name, std::move(params)));
        return *asked_.back();
    }
    sql::Statement& add_batch(const sql::Query& query, std::vector<sql::Params>) override {
        throw std::logic_error(fmt::format("not simulated in rows: {}", query.name));
    }
    void flush() override { send(); }
    void commit() override { send(); }

private:
    struct Asked final : sql::Statement {
        Asked(std::string_view query, sql::Params given) : name(query), params(std::move(given)) {}
        const std::vector<sql::Row>& rows() const override { return found; }
        std::size_t affected() const override { return found.size(); }

        std::string_view name;
        sql::Params params;
        std::vector<sql::Row> found;
    };

    void send() {
        for (; sent_ < asked_.size(); ++sent_) {
            Asked& asked = *asked_[sent_];
            if (asked.name == "relay.checkpoint.save") {
                outbox_.save(asked.params);
            } else {
                asked.found = outbox_.answer(asked.name, asked.params);
            }
        }
    }

    SimOutbox& outbox_;
    std::vector<std::unique_ptr<Asked>> asked_;
    std::size_t sent_ = 0;
};

SimOutbox::SimOutbox(World& world, DatabaseServer& server) : world_(world), server_(server) {}

std::unique_ptr<sql::Transaction> SimOutbox::begin(sql::Access) {
    if (server_.is_away) throw sql::Failure(sql::Fault::unavailable, "08001", "the server is away");
    return std::make_unique<Reading>(*this);
}

bool SimOutbox::is_mutant_active(MutantKind kind) const {
    return world_.mutant != nullptr && world_.mutant->kind == kind;
}

// Returns the number of a transaction that began earlier, or the next number.
std::uint64_t SimOutbox::draw_number() {
    while (begun_.size() < begun_max && world_.transactions.happens(0.2))
        begun_.push_back(next_number_++);
    if (begun_.empty() || world_.transactions.happens(0.5)) return next_number_++;
    const auto at = static_cast<std::ptrdiff_t>(world_.transactions.below(begun_.size()));
    const std::uint64_t number = begun_[static_cast<std::size_t>(at)];
    begun_.erase(begun_.begin() + at);
    return number;
}

void SimOutbox::committed(std::span<const Uuid> orders) {
    const auto tx = server_.real->begin(sql::Access::read);
    const sql::Statement& last = tx->add(last_event, {});
    tx->commit();
    Written transaction{draw_number(), last.rows().at(0).integer(0), world_.now};
    if (world_.faults.occurs(Fault::sql_commit_late)) {
        const Duration late = world_.transactions.between(milliseconds(1), milliseconds(1500));
        transaction.visible_at = transaction.visible_at + late;
        world_.trace("orders' outbox", "shows transaction {} {} ms late", transaction.number,
                     late.count() / 1000);
    }
    for (const Uuid order : orders)
        transaction.visible_at = std::max(transaction.visible_at, visible_by_order_[order]);
    for (const Uuid order : orders) visible_by_order_[order] = transaction.visible_at;
    written_.push_back(transaction);
}

const SimOutbox::Written& SimOutbox::transaction_of(std::int64_t position) const {
    return *std::ranges::lower_bound(written_, position, {}, &Written::last_position);
}

// Returns the snapshot up to the newest visible transaction, with the invisible ones below it
// listed as open.
outbox::Snapshot SimOutbox::snapshot() const {
    std::uint64_t end = 3;
    for (const Written& one : written_) {
        if (one.visible_at <= world_.now) end = std::max(end, one.number + 1);
    }
    std::vector<std::uint64_t> under_way;
    for (const std::uint64_t number : begun_) {
        if (number < end) under_way.push_back(number);
    }
    for (const Written& one : written_) {
        if (one.visible_at > world_.now && one.number < end) under_way.push_back(one.number);
    }
    if (is_mutant_active(MutantKind::gaps_unseen)) under_way.clear();
    std::ranges::sort(under_way);
    const std::uint64_t first = under_way.empty() ? end : under_way.front();
    return relay::snapshot_of(fmt::format("{}:{}:{}", first, end, fmt::join(under_way, ",")));
}

std::vector<SimOutbox::Event> SimOutbox::visible() const {
    const auto tx = server_.real->begin(sql::Access::read);
    const sql::Statement& found = tx->add(events_behind, {low_water_});
    tx->commit();
    std::vector<Event> events;
    for (const sql::Row& row : found.rows()) {
        const Written& by = transaction_of(row.integer(0));
        if (by.visible_at <= world_.now) events.push_back({row.integer(0), by.number, row});
    }
    return events;
}

std::vector<SimOutbox::Event> SimOutbox::fresh(const sql::Params& params) const {
    // A number below the end that is not listed is seen; the statement does not use xmin, so it
    // is 1.
    const outbox::Snapshot base =
        relay::snapshot_of(fmt::format("1:{}:{}", text_of(params.at(0)), text_of(params.at(1))));
    auto events = visible();
    std::erase_if(events, [&](const Event& event) { return base.sees(event.number); });
    return events;
}

std::vector<sql::Row> SimOutbox::poll(const sql::Params& params) const {
    auto events = fresh(params);
    const std::size_t count =
        std::min(events.size(), static_cast<std::size_t>(number_of(params.at(2))));
    if (is_mutant_active(MutantKind::orders_by_transaction))
        std::ranges::stable_sort(events, {}, &Event::number);
    std::vector<sql::Row> rows;
    const std::vector<sql::Value> head = {snapshot().text, static_cast<std::int64_t>(count)};
    for (const Event& event : events) {
        if (std::ssize(rows) == number_of(params.at(3))) break;
        std::vector<sql::Value> columns = head;
        std::ranges::move(columns_of(event.row), std::back_inserter(columns));
        rows.emplace_back(std::move(columns));
    }
    if (rows.empty()) rows.emplace_back(head);
    return rows;
}

std::vector<sql::Row> SimOutbox::page(const sql::Params& params) const {
    const outbox::Snapshot base = relay::snapshot_of(text_of(params.at(1)));
    const outbox::Snapshot target = relay::snapshot_of(text_of(params.at(2)));
    std::vector<sql::Row> rows;
    for (const Event& event : visible()) {
        if (std::ssize(rows) == number_of(params.at(3))) break;
        if (event.position > number_of(params.at(0)) && target.sees(event.number) &&
            !base.sees(event.number))
            rows.emplace_back(columns_of(event.row));
    }
    return rows;
}

std::vector<sql::Row> SimOutbox::answer(std::string_view query, const sql::Params& params) const {
    if (query == "relay.poll") return poll(params);
    if (query == "relay.page") return page(params);
    if (query == "relay.patience" || query == "relay.no_wait") return {};
    if (query == "relay.lowest") {
        const auto events = fresh(params);
        return {sql::Row({events.empty() ? sql::Value() : sql::Value(events.front().position)})};
    }
    if (query == "relay.checkpoint.load") {
        std::vector<sql::Row> rows;
        rows.reserve(checkpoint_.size());
        for (const Stored& stored : checkpoint_)
            rows.emplace_back(
                std::vector<sql::Value>{stored.base, stored.target, stored.cursor, sql::Null{}});
        return rows;
    }
    throw std::logic_error(fmt::format("not simulated: {}", query));
}

// Saves the checkpoint, and writes its low-water mark, up to which all events are confirmed, into
// the table where the simulation looks for it.
void SimOutbox::save(const sql::Params& params) {
    checkpoint_ = {{text_of(params.at(0)), params.at(1), number_of(params.at(2))}};
    const outbox::Snapshot base = relay::snapshot_of(checkpoint_.front().base);
    std::int64_t mark = 0;
    for (const Written& one : written_) {
        if (!base.sees(one.number)) break;
        mark = one.last_position;
    }
    low_water_ = std::max(low_water_, mark);
    const auto tx = server_.real->begin(sql::Access::write);
    tx->add(save_low_water, {low_water_});
    tx->commit();
}

}  // namespace trackops::sim
