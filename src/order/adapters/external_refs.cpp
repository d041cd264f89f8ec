#include "order/adapters/external_refs.hpp"

#include <algorithm>

#include "order/domain/events.hpp"

namespace trackops::order::adapters {
namespace {

// A table of references would be a second copy of what `orders` says. Two transactions that take
// the same reference at once cannot see each other's order, so they take turns by a lock.
constexpr sql::Query lock_ref{.name = "order.lock_external_ref",
                              .text = R"sql(
    SELECT pg_advisory_xact_lock(hashtextextended($1, 0))
)sql",
                              .postgres_batch = R"sql(
    SELECT pg_advisory_xact_lock(hashtextextended(unnest($1::text[]), 0))
)sql"};

constexpr sql::Query find_holder{.name = "order.find_external_ref",
                                 .text = R"sql(
    SELECT external_ref, id FROM orders WHERE customer_id = $1 AND external_ref = $2 AND id <> $3 LIMIT 1
)sql",
                                 .postgres_batch = R"sql(
    SELECT asked.external_ref, held.id
    FROM unnest($1::text[], $2::text[], $3::uuid[]) AS asked (customer_id, external_ref, id)
    CROSS JOIN LATERAL (SELECT id FROM orders WHERE customer_id = asked.customer_id AND external_ref = asked.external_ref
                                                AND id <> asked.id LIMIT 1) AS held
)sql"};

bool sets_external_ref(const domain::RecordedEvent& entry) {
    if (std::holds_alternative<domain::OrderPlaced>(entry.event)) return true;
    const auto* const details = std::get_if<domain::OrderDetailsChanged>(&entry.event);
    return details != nullptr &&
           std::ranges::find(details->changed, "externalRef") != details->changed.end();
}

std::unexpected<Error> taken(std::string_view external_ref, domain::OrderId by) {
    return fail(Errc::conflict, "the customer's order " + by.text() + " has the externalRef " +
                                    std::string(external_ref) +
                                    " already, and this shop gives each of them once");
}

}  // namespace

std::vector<ExternalRefUse> external_refs_taken_by(std::span<const OrderToSave> orders) {
    std::vector<ExternalRefUse> uses;
    for (const OrderToSave& saved : orders) {
        const domain::Order& order = saved.record.order;
        if (order.terms.external_ref &&
            std::ranges::any_of(saved.record.events, sets_external_ref)) {
            uses.push_back({order.terms.customer.text, *order.terms.external_ref, order.id});
        }
    }
    return uses;
}

Result<void> keep_external_refs(sql::Transaction& tx, sql::Dialect dialect,
                                std::vector<ExternalRefUse> uses) {
    if (uses.empty()) return {};
    std::ranges::sort(uses);  // the order of the locks
    std::vector<sql::Params> locks;
    std::vector<sql::Params> questions;
    for (const ExternalRefUse& use : uses) {
        locks.push_back({use.customer + ' ' + use.external_ref});
        questions.push_back({use.customer, use.external_ref, use.order});
    }
    // SQLite has one writer.
    if (dialect == sql::Dialect::postgres) tx.add_batch(lock_ref, std::move(locks));
    const sql::Statement& found = tx.add_batch(find_holder, std::move(questions));
    tx.flush();
    if (!found.rows().empty()) {
        const sql::Row& row = found.rows().front();
        return taken(row.text(0), domain::OrderId(row.uuid(1)));
    }
    const auto same =
        std::ranges::adjacent_find(uses, [](const ExternalRefUse& one, const ExternalRefUse& next) {
            return one.customer == next.customer && one.external_ref == next.external_ref;
        });
    if (same != uses.end()) return taken(same->external_ref, same->order);
    return {};
}

}  // namespace trackops::order::adapters
