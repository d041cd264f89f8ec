#include "order/adapters/shipping_addresses.hpp"

#include <algorithm>
#include <set>

#include "order/adapters/customer_rows.hpp"

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

std::vector<sql::Params> named_addresses(std::span<const app::NewOrder> orders) {
    std::set<domain::AddressId> ids;
    for (const app::NewOrder& order : orders) {
        if (const auto id = order.record.order.terms.shipping_address_id) ids.insert(*id);
    }
    std::vector<sql::Params> rows;
    for (const domain::AddressId id : ids) rows.push_back({id});
    return rows;
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
    for (const sql::Row& row : found_.rows()) {
        if (row.uuid(0) == id.uuid && row.text(14) == customer.text)
            return customer_address_of(row).address;
    }
    return fail(Errc::invalid, "the request is not valid",
                {{"/shippingAddressId", "the customer has no address with this id", "unknown"}});
}

}  // namespace trackops::order::adapters
