#include "verify/agreement.hpp"

// Compares orders with reservations. Each order is read before its reservation, so a difference may
// come from a change in between: while the system runs, only a second look confirms it. A
// reservation is created after its order, and a released reservation never comes back. So a
// reservation without an order needs no second look.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace trackops::verify {
namespace {

using audit::InvariantResult;
using audit::Violation;

constexpr std::int64_t page_rows = 500;
// The maximum number of violations to check again. Further ones are counted at once.
constexpr std::size_t rechecks_max = 10'000;

struct Rule {
    std::string_view name;
    std::string_view description;
};
constexpr Rule agree{"order_and_reservation_agree",
                     "stock is held for orders that want it and shipped for orders that left"};
constexpr Rule same_lines{"reservation_holds_what_was_ordered",
                          "what is held or shipped is what the order's lines sum up to"};
constexpr Rule has_order{"reservation_has_its_order", "no stock is held for an order that is not"};
constexpr Rule is_over{"nothing_is_under_way", "at rest no order is PENDING and no saga waits"};

constexpr sql::Query order_ids{.name = "verify.order_ids",
                               .text = "SELECT id FROM orders WHERE id > $1 ORDER BY id LIMIT $2"};
constexpr sql::Query orders_by_id{.name = "verify.orders",
                                  .text = R"sql(
    SELECT o.id, o.status, o.version, o.updated_at, coalesce(f.status, 'absent'), coalesce(c.status, 'absent')
    FROM orders o
    LEFT JOIN saga_instances f ON f.order_id = o.id AND f.type = 'ORDER_FULFILMENT'
    LEFT JOIN saga_instances c ON c.order_id = o.id AND c.type = 'ORDER_CANCELLATION'
    WHERE o.id = $1
)sql",
                                  .postgres_batch = R"sql(
    SELECT o.id, o.status, o.version, o.updated_at, coalesce(f.status, 'absent'), coalesce(c.status, 'absent')
    FROM orders o
    LEFT JOIN saga_instances f ON f.order_id = o.id AND f.type = 'ORDER_FULFILMENT'
    LEFT JOIN saga_instances c ON c.order_id = o.id AND c.type = 'ORDER_CANCELLATION'
    WHERE o.id = ANY($1::uuid[])
)sql"};
constexpr sql::Query order_lines{.name = "verify.order_lines",
                                 .text = R"sql(
    SELECT order_id, sku, CAST(sum(quantity) AS bigint) FROM order_items WHERE order_id = $1 AND tracked
    GROUP BY order_id, sku
)sql",
                                 .postgres_batch = R"sql(
    SELECT order_id, sku, CAST(sum(quantity) AS bigint) FROM order_items
    WHERE order_id = ANY($1::uuid[]) AND tracked GROUP BY order_id, sku
)sql"};
constexpr sql::Query reservations{.name = "verify.reservations",
                                  .text = R"sql(
    SELECT order_id, status FROM inventory_reservations WHERE order_id = $1
)sql",
                                  .postgres_batch = R"sql(
    SELECT order_id, status FROM inventory_reservations WHERE order_id = ANY($1::uuid[])
)sql"};
constexpr sql::Query held_lines{.name = "verify.held_lines",
                                .text = R"sql(
    SELECT r.order_id, l.sku, l.quantity FROM inventory_reservations r
    JOIN inventory_reservation_items l ON l.reservation_id = r.id WHERE r.order_id = $1
)sql",
                                .postgres_batch = R"sql(
    SELECT r.order_id, l.sku, l.quantity FROM inventory_reservations r
    JOIN inventory_reservation_items l ON l.reservation_id = r.id WHERE r.order_id = ANY($1::uuid[])
)sql"};
constexpr sql::Query reserved_order_ids{.name = "verify.reserved_order_ids", .text = R"sql(
    SELECT order_id FROM inventory_reservations WHERE order_id > $1 ORDER BY order_id LIMIT $2
)sql"};
constexpr sql::Query which_exist{
    .name = "verify.which_exist",
    .text = "SELECT id FROM orders WHERE id = $1",
    .postgres_batch = "SELECT id FROM orders WHERE id = ANY($1::uuid[])"};

using Lines = std::map<std::string, std::int64_t>;

struct OrderAndReservation {
    // The status of the order.
    std::string status;
    std::int64_t version = 0;
    Instant updated_at;
    // The statuses of the sagas; "absent" without one.
    std::string fulfilment, cancellation;
    Lines ordered;
    std::string reservation = "absent";
    Lines held;
};

std::vector<sql::Params> params_of(std::span<const Uuid> ids) {
    std::vector<sql::Params> rows;
    rows.reserve(ids.size());
    for (const Uuid id : ids) rows.push_back({id});
    return rows;
}

std::vector<Uuid> ids_behind(sql::Database& database, const sql::Query& query, Uuid after) {
    const auto tx = database.begin(sql::Access::read);
    const auto& found = tx->add(query, {after, page_rows});
    tx->commit();
    std::vector<Uuid> ids;
    for (const sql::Row& row : found.rows()) ids.push_back(row.uuid(0));
    return ids;
}

std::map<Uuid, OrderAndReservation> read_cases(const Databases& databases,
                                               std::span<const Uuid> ids) {
    std::map<Uuid, OrderAndReservation> cases;
    {
        const auto tx = databases.orders.begin(sql::Access::read);
        const auto& orders = tx->add_batch(orders_by_id, params_of(ids));
        const auto& lines = tx->add_batch(order_lines, params_of(ids));
        tx->commit();
        for (const sql::Row& row : orders.rows()) {
            cases[row.uuid(0)] = {
                row.text(1), row.integer(2), row.instant(3), row.text(4), row.text(5), {}, "absent",
                {}};
        }
        for (const sql::Row& row : lines.rows())
            cases[row.uuid(0)].ordered[row.text(1)] = row.integer(2);
    }
    const auto tx = databases.stock.begin(sql::Access::read);
    const auto& found = tx->add_batch(reservations, params_of(ids));
    const auto& lines = tx->add_batch(held_lines, params_of(ids));
    tx->commit();
    for (const sql::Row& row : found.rows()) cases[row.uuid(0)].reservation = row.text(1);
    for (const sql::Row& row : lines.rows()) cases[row.uuid(0)].held[row.text(1)] = row.integer(2);
    return cases;
}

bool waits(std::string_view saga) { return saga == "RUNNING" || saga == "COMPENSATING"; }

bool is_agreed(const OrderAndReservation& on, const VerifyOptions& terms) {
    const std::string& held = on.reservation;
    // The reservation of a PENDING order may be in any state: its reply may still be on the way. At
    // rest, the rule `is_over` reports the order.
    if (on.status == "PENDING") return true;
    if (on.status == "CONFIRMED" || on.status == "PROCESSING") return held == "RESERVED";
    if (on.status == "CANCELLED") {
        const bool may_hold =
            !terms.is_at_rest && (waits(on.fulfilment) || waits(on.cancellation) ||
                                  on.fulfilment == "BLOCKED" || on.cancellation == "BLOCKED");
        return held != "FULFILLED" && (held != "RESERVED" || may_hold);
    }
    const bool may_be_on_its_way =
        !terms.is_at_rest && on.status == "SHIPPED" && on.updated_at + terms.in_flight > terms.now;
    return held == "FULFILLED" || (held == "RESERVED" && may_be_on_its_way);
}

std::string text_of(const Lines& lines) {
    std::string text;
    for (const auto& [sku, quantity] : lines) text += fmt::format(" {} of {}", quantity, sku);
    return text.empty() ? " nothing" : text;
}

void compare(Uuid id, const OrderAndReservation& on, const VerifyOptions& terms,
             std::vector<Violation>& found) {
    const auto broken = [&](const Rule& rule, std::string evidence) {
        found.push_back({rule.name, rule.description, id.text(), std::move(evidence)});
    };
    const std::string order = fmt::format("{} in version {}, fulfilment {}, cancellation {}",
                                          on.status, on.version, on.fulfilment, on.cancellation);
    if (!is_agreed(on, terms))
        broken(agree, fmt::format("{}; reservation {}", order, on.reservation));
    const bool is_real = on.reservation == "RESERVED" || on.reservation == "FULFILLED";
    if (is_real && on.held != on.ordered)
        broken(same_lines, fmt::format("ordered{}; {}{}", text_of(on.ordered), on.reservation,
                                       text_of(on.held)));
    if (terms.is_at_rest &&
        (on.status == "PENDING" || waits(on.fulfilment) || waits(on.cancellation)))
        broken(is_over, order);
}

std::vector<Violation> compared(const Databases& databases, std::span<const Uuid> ids,
                                const VerifyOptions& terms) {
    std::vector<Violation> found;
    for (const auto& [id, on] : read_cases(databases, ids)) compare(id, on, terms, found);
    return found;
}

// Finds reservations without an order. An order is committed before its reservation, so no second
// look is needed.
std::vector<Violation> without_order(const Databases& databases, std::span<const Uuid> ids) {
    const auto tx = databases.orders.begin(sql::Access::read);
    const auto& rows = tx->add_batch(which_exist, params_of(ids));
    tx->commit();
    std::vector<Uuid> there;
    for (const sql::Row& row : rows.rows()) there.push_back(row.uuid(0));
    std::vector<Violation> found;
    for (const Uuid id : ids) {
        if (std::ranges::find(there, id) == there.end())
            found.push_back(
                {has_order.name, has_order.description, id.text(), "there is no such order"});
    }
    return found;
}

class InvariantResults {
public:
    explicit InvariantResults(const VerifyOptions& terms) {
        for (const Rule& rule : {agree, same_lines, has_order})
            all_.push_back({.invariant = rule.name, .description = rule.description});
        if (terms.is_at_rest)
            all_.push_back({.invariant = is_over.name, .description = is_over.description});
    }
    void checked(std::size_t orders, std::size_t reservations_seen) {
        for (InvariantResult& finding : all_) {
            const bool is_of_reservations = finding.invariant == has_order.name;
            finding.checked +=
                static_cast<std::int64_t>(is_of_reservations ? reservations_seen : orders);
        }
    }
    void count(Violation violation) {
        InvariantResult& finding =
            *std::ranges::find(all_, violation.invariant, &InvariantResult::invariant);
        ++finding.violations;
        if (finding.examples.size() < audit::examples_max)
            finding.examples.push_back(std::move(violation));
    }
    std::vector<InvariantResult> take() { return std::move(all_); }

private:
    std::vector<InvariantResult> all_;
};

void recheck(const Databases& databases, std::vector<Violation> suspects,
             const VerifyOptions& terms, InvariantResults& findings) {
    terms.wait_before_recheck();
    for (std::size_t from = 0; from < suspects.size(); from += page_rows) {
        const std::span part = std::span(suspects).subspan(
            from, std::min<std::size_t>(page_rows, suspects.size() - from));
        std::vector<Uuid> ids;
        for (const Violation& suspect : part) ids.push_back(Uuid::parse(suspect.subject).value());
        const auto [first, last] = std::ranges::unique(ids);
        ids.erase(first, last);
        const auto still = compared(databases, ids, terms);
        for (Violation& suspect : part) {
            if (std::ranges::find(still, suspect) != still.end())
                findings.count(std::move(suspect));
        }
    }
}

}  // namespace

std::vector<InvariantResult> check_agreement(const Databases& databases,
                                             const VerifyOptions& terms) {
    InvariantResults findings(terms);
    std::vector<Violation> suspects;
    for (auto ids = ids_behind(databases.orders, order_ids, {}); !ids.empty();
         ids = ids_behind(databases.orders, order_ids, ids.back())) {
        findings.checked(ids.size(), 0);
        for (Violation& violation : compared(databases, ids, terms)) {
            if (terms.is_at_rest || suspects.size() >= rechecks_max) {
                findings.count(std::move(violation));
            } else {
                suspects.push_back(std::move(violation));
            }
        }
    }
    for (auto ids = ids_behind(databases.stock, reserved_order_ids, {}); !ids.empty();
         ids = ids_behind(databases.stock, reserved_order_ids, ids.back())) {
        findings.checked(0, ids.size());
        for (Violation& violation : without_order(databases, ids))
            findings.count(std::move(violation));
    }
    if (!suspects.empty()) recheck(databases, std::move(suspects), terms, findings);
    return findings.take();
}

}  // namespace trackops::verify
