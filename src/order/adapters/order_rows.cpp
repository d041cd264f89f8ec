#include "order/adapters/order_rows.hpp"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include "order/adapters/order_json.hpp"
#include "platform/json/reader.hpp"

namespace trackops::order::adapters {
namespace {

constexpr sql::Query load_orders{.name = "order.load",
                                 .text = R"sql(
    SELECT id, customer_id, status, currency, total_amount, shipping_amount, shipping_address, delivery_instructions, external_ref,
           metadata, cancel_reason, carrier, tracking_number, version, revision, events_sent, created_at, updated_at, cancel_details,
           adjustments
    FROM orders WHERE id = $1
)sql",
                                 .postgres_batch = R"sql(
    SELECT id, customer_id, status, currency, total_amount, shipping_amount, shipping_address, delivery_instructions, external_ref,
           metadata, cancel_reason, carrier, tracking_number, version, revision, events_sent, created_at, updated_at, cancel_details,
           adjustments
    FROM orders WHERE id = ANY($1::uuid[])
)sql",
                                 .single_row_uses_text = true};

constexpr sql::Query load_items{.name = "order.load_items",
                                .text = R"sql(
    SELECT order_id, sku, name, quantity, unit_amount, tracked FROM order_items WHERE order_id = $1 ORDER BY line
)sql",
                                .postgres_batch = R"sql(
    SELECT order_id, sku, name, quantity, unit_amount, tracked FROM order_items WHERE order_id = ANY($1::uuid[]) ORDER BY order_id, line
)sql",
                                .single_row_uses_text = true};

// The actor of a cancellation is looked up only for a saga that may have to send the cancellation
// again. It is not joined, because most orders are loaded to be confirmed.
constexpr sql::Query load_sagas{.name = "saga.load",
                                .text = R"sql(
    SELECT id, type, order_id, status, deadline_at, next_attempt_at, started_at, finished_at,
           CASE WHEN status = 'COMPENSATING' OR (status = 'RUNNING' AND type = 'ORDER_CANCELLATION')
                THEN (SELECT h.actor FROM order_history h WHERE h.order_id = s.order_id AND h.type = 'ORDER_CANCELLED' LIMIT 1) END
    FROM saga_instances s WHERE order_id = $1 ORDER BY type DESC
)sql",
                                .postgres_batch = R"sql(
    SELECT id, type, order_id, status, deadline_at, next_attempt_at, started_at, finished_at,
           CASE WHEN status = 'COMPENSATING' OR (status = 'RUNNING' AND type = 'ORDER_CANCELLATION')
                THEN (SELECT h.actor FROM order_history h WHERE h.order_id = s.order_id AND h.type = 'ORDER_CANCELLED' LIMIT 1) END
    FROM saga_instances s WHERE order_id = ANY($1::uuid[]) ORDER BY order_id, type DESC
)sql",
                                .single_row_uses_text = true};

// OFFSET 0 makes PostgreSQL look up the steps of each saga by key, even when its statistics are
// from the time when the tables were empty.
constexpr sql::Query load_steps{.name = "saga.load_steps",
                                .text = R"sql(
    SELECT s.saga_id, s.name, s.status, s.attempts, s.started_at, s.finished_at, s.last_error
    FROM saga_steps s JOIN saga_instances i ON i.id = s.saga_id WHERE i.order_id = $1 ORDER BY s.saga_id, s.step
)sql",
                                .postgres_batch = R"sql(
    SELECT s.saga_id, s.name, s.status, s.attempts, s.started_at, s.finished_at, s.last_error
    FROM (SELECT id FROM saga_instances WHERE order_id = ANY($1::uuid[]) OFFSET 0) i
    CROSS JOIN LATERAL (SELECT * FROM saga_steps WHERE saga_id = i.id OFFSET 0) s ORDER BY s.saga_id, s.step
)sql",
                                .single_row_uses_text = true};

template <class Enum>
Enum named(std::span<const std::string_view> names, std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end())
        throw std::logic_error("the table holds a word that is not ours: " + std::string(name));
    return static_cast<Enum>(found - names.begin());
}

// Returns the name as a string literal, because SagaStep::name does not own its text.
std::string_view step_name(std::string_view name) {
    constexpr auto names =
        std::to_array<std::string_view>({"reserve", "confirm", "cancel", "release"});
    return names[named<std::size_t>(names, name)];
}

domain::Address address_of(std::string_view text) {
    const auto document = json::Document::parse(text);
    if (!document) throw std::logic_error("a stored address is no JSON");
    const json::Value value = document->root();
    const auto field = [&value](std::string_view name) -> std::optional<std::string> {
        const auto member = value.find(name);
        const auto found = member ? member->text() : std::nullopt;
        return found ? std::optional(std::string(*found)) : std::nullopt;
    };
    return {field("recipient"),
            field("line1").value_or(""),
            field("line2"),
            field("city").value_or(""),
            field("region"),
            field("postalCode").value_or(""),
            field("country").value_or(""),
            field("phone")};
}

std::vector<domain::Adjustment> adjustments_of(json::Value list) {
    std::vector<domain::Adjustment> adjustments;
    list.each_element([&](std::size_t, json::Value element) {
        const auto text = [&element](std::string_view name) {
            const auto member = element.find(name);
            return std::string(member ? member->text().value_or("") : "");
        };
        const auto amount = element.find("amount");
        adjustments.push_back(
            {named<domain::AdjustmentKind>(domain::adjustment_kind_names, text("kind")),
             text("label"), amount ? amount->integer().value_or(0) : 0});
    });
    return adjustments;
}

std::vector<domain::Shortage> shortages_of(json::Value list) {
    std::vector<domain::Shortage> shortages;
    list.each_element([&](std::size_t, json::Value element) {
        const auto text = [&element](std::string_view name) {
            const auto member = element.find(name);
            return std::string(member ? member->text().value_or("") : "");
        };
        const auto number = [&element](std::string_view name) {
            const auto member = element.find(name);
            return member ? member->integer().value_or(0) : 0;
        };
        shortages.push_back(
            {text("sku"), number("requested"), number("available"), text("reason")});
    });
    return shortages;
}

// Each id occurs once: the rows of a repeated id would come twice and double the order's lines.
std::vector<sql::Params> params_of(std::span<const domain::OrderId> ids) {
    std::vector<sql::Params> rows;
    rows.reserve(ids.size());
    std::unordered_set<domain::OrderId> known;
    for (const domain::OrderId id : ids) {
        if (known.insert(id).second) rows.push_back({id});
    }
    return rows;
}

}  // namespace

LoadedOrder order_of(const sql::Row& row) {
    LoadedOrder loaded;
    domain::Order& order = loaded.record.order;
    order.id = domain::OrderId(row.uuid(0));
    order.terms.customer = {row.text(1)};
    order.status = named<domain::Status>(domain::status_names, row.text(2));
    order.terms.currency = row.text(3);
    order.terms.total_amount_minor = row.integer(4);
    order.terms.shipping_amount_minor = row.maybe_integer(5);
    order.terms.shipping_address = address_of(row.text(6));
    order.terms.delivery_instructions = row.maybe_text(7);
    order.terms.external_ref = row.maybe_text(8);
    order.terms.metadata = row.maybe_text(9);
    order.cancel_reason = row.maybe_text(10);
    if (!row.is_null(11) || !row.is_null(12))
        order.shipment = {row.maybe_text(11), row.maybe_text(12)};
    order.version = row.integer(13);
    loaded.revision = row.integer(14);
    loaded.record.events_sent = row.integer(15);
    order.created_at = row.instant(16);
    order.updated_at = row.instant(17);
    if (!row.is_null(18)) {
        const auto details = json::Document::parse(row.text(18));
        if (!details) throw std::logic_error("stored cancel_details are no JSON");
        order.cancel_details = shortages_of(details->root());
    }
    if (!row.is_null(19)) {
        const auto list = json::Document::parse(row.text(19));
        if (!list) throw std::logic_error("stored adjustments are no JSON");
        order.terms.adjustments = adjustments_of(list->root());
    }
    return loaded;
}

domain::Line line_of(const sql::Row& row) {
    return {row.text(1), row.maybe_text(2), row.integer(3), row.integer(4), row.boolean(5)};
}

app::SagaOfOrder saga_of(const sql::Row& row) {
    domain::Saga saga;
    saga.id = domain::SagaId(row.uuid(0));
    saga.type = named<domain::SagaType>(domain::saga_type_names, row.text(1));
    saga.status = named<domain::SagaStatus>(domain::saga_status_names, row.text(3));
    saga.deadline_at = row.maybe_instant(4);
    saga.next_attempt_at = row.maybe_instant(5);
    saga.started_at = row.instant(6);
    saga.finished_at = row.maybe_instant(7);
    return {std::move(saga), domain::OrderId(row.uuid(2))};
}

domain::SagaStep step_of(const sql::Row& row) {
    return {
        step_name(row.text(1)), named<domain::StepStatus>(domain::step_status_names, row.text(2)),
        row.integer(3),         row.maybe_instant(4),
        row.maybe_instant(5),   row.maybe_text(6)};
}

app::HistoryEntry history_entry_of(const sql::Row& row) {
    app::HistoryEntry entry;
    entry.revision = row.integer(0);
    entry.version = row.integer(1);
    entry.type = row.text(2);
    entry.after = named<domain::Status>(domain::status_names, row.text(3));
    if (!row.is_null(4)) {
        const auto payload = json::Document::parse(row.text(4));
        if (!payload) throw std::logic_error("a stored payload is no JSON");
        const auto reason = payload->root().find("reason");
        entry.reason = reason ? reason->text().value_or("") : "";
        if (const auto changed = payload->root().find("changed")) {
            changed->each_element([&entry](std::size_t, json::Value name) {
                entry.changed.emplace_back(name.text().value_or(""));
            });
        }
        if (const auto details = payload->root().find("cancelDetails"))
            entry.cancel_details = shortages_of(*details);
    }
    entry.actor = row.text(5);
    entry.correlation = row.text(6);
    entry.causation = row.maybe_text(7).value_or(entry.correlation);
    entry.event_id = row.maybe_uuid(8);
    entry.at = row.instant(9);
    return entry;
}

OrderLoader::OrderLoader(sql::Transaction& tx, std::span<const domain::OrderId> ids,
                         bool with_sagas)
    : orders_(tx.add_batch(load_orders, params_of(ids))),
      items_(tx.add_batch(load_items, params_of(ids))) {
    if (!with_sagas) return;
    sagas_ = &tx.add_batch(load_sagas, params_of(ids));
    steps_ = &tx.add_batch(load_steps, params_of(ids));
}

LoadedOrders OrderLoader::take() const {
    LoadedOrders orders;
    for (const sql::Row& row : orders_.rows()) {
        LoadedOrder loaded = order_of(row);
        const domain::OrderId id = loaded.record.order.id;
        orders.emplace(id, std::move(loaded));
    }
    // A read transaction sees one snapshot, so every line finds its order. The check protects
    // against a driver that breaks this.
    for (const sql::Row& row : items_.rows()) {
        const auto order = orders.find(domain::OrderId(row.uuid(0)));
        if (order != orders.end()) order->second.record.order.terms.items.push_back(line_of(row));
    }
    if (sagas_ == nullptr) return orders;
    std::unordered_map<Uuid, std::vector<domain::SagaStep>> steps;
    for (const sql::Row& row : steps_->rows()) steps[row.uuid(0)].push_back(step_of(row));
    for (const sql::Row& row : sagas_->rows()) {
        app::SagaOfOrder entry = saga_of(row);
        const auto order = orders.find(entry.order);
        if (order == orders.end()) continue;
        entry.saga.steps = std::move(steps[entry.saga.id.uuid]);
        if (!row.is_null(8)) order->second.record.cancelled_by = row.text(8);
        order->second.record.sagas.push_back(std::move(entry.saga));
    }
    for (auto& [id, loaded] : orders) loaded.sagas_before = loaded.record.sagas;
    return orders;
}

}  // namespace trackops::order::adapters
