#include "order/adapters/shipping_addresses.hpp"

#include <algorithm>
#include <set>

#include "order/adapters/customer_rows.hpp"
#include "platform/sql/batch.hpp"

namespace trackops::order::adapters {
namespace {

constexpr sql::Query load_shipping_addresses{.name = "order.shipping_addresses",
                                             .text = R"sql(
    SELECT id, label, recipient, line1, line2, city, region, postal_code, country, phone, is_default, version, created_at, updated_at,
           customer_id
    FROM addresses WHERE id = $1
)sql",
                                             .postgres_batch = R"sql(
    SELECT id, label, recipient, line1, line2, city, region, postal_code, country, phone, is_default, version, created_at, updated_at,
           customer_id
    FROM addresses WHERE id = ANY($1::uuid[])
)sql"};

// SQLite has one writer. Orders share the lock; a change of the address waits for them.
constexpr sql::Query keep_shipping_addresses{.name = "order.keep_shipping_addresses",
                                             .text = load_shipping_addresses.text,
                                             .postgres_batch = R"sql(
    SELECT id, label, recipient, line1, line2, city, region, postal_code, country, phone, is_default, version, created_at, updated_at,
           customer_id
    FROM addresses WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE
)sql"};

std::vector<sql::Params> named_addresses(std::span<const app::NewOrder> orders) {
    std::set<domain::AddressId> ids;
    for (const app::NewOrder& order : orders) {
        if (const auto id = order.record.order.terms.shipping_address_id) ids.insert(*id);
    }
    std::vector<sql::Params> rows;
    rows.reserve(ids.size());
    for (const domain::AddressId id : ids) rows.push_back({id});
    return rows;
}

std::optional<domain::Address> address_in(const std::vector<sql::Row>& rows, domain::AddressId id,
                                          const domain::CustomerId& customer) {
    for (const sql::Row& row : rows) {
        if (row.uuid(0) == id.uuid && row.text(14) == customer.text)
            return customer_address_of(row).address;
    }
    return std::nullopt;
}

}  // namespace

bool any_names_an_address(std::span<const app::NewOrder> orders) {
    return std::ranges::any_of(orders, [](const app::NewOrder& order) {
        return order.record.order.terms.shipping_address_id.has_value();
    });
}

ShippingAddresses::ShippingAddresses(sql::Transaction& tx, std::span<const app::NewOrder> orders)
    : found_(tx.add_batch(load_shipping_addresses, named_addresses(orders))) {}

Result<domain::Address> ShippingAddresses::find(domain::AddressId id,
                                                const domain::CustomerId& customer) const {
    if (auto found = address_in(found_.rows(), id, customer)) return *std::move(found);
    return fail(Errc::invalid, "the request is not valid",
                {{"/shippingAddressId", "the customer has no address with this id", "unknown"}});
}

void keep_addresses(sql::Transaction& tx, std::span<const app::NewOrder> orders) {
    const sql::Statement& kept = tx.add_batch(keep_shipping_addresses, named_addresses(orders));
    tx.flush();
    for (const app::NewOrder& order : orders) {
        const domain::OrderTerms& terms = order.record.order.terms;
        if (terms.shipping_address_id && address_in(kept.rows(), *terms.shipping_address_id,
                                                    terms.customer) != terms.shipping_address)
            throw sql::ConcurrencyConflict();
    }
}

}  // namespace trackops::order::adapters
