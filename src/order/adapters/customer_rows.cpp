#include "order/adapters/customer_rows.hpp"

#include "base/case_folding.hpp"

namespace trackops::order::adapters {
namespace {

std::optional<std::string> folded(const std::optional<std::string>& text) {
    return text ? std::optional(case_folded(*text)) : std::nullopt;
}

}  // namespace

domain::Customer customer_of(const sql::Row& row) {
    return {row.text(0),
            {row.maybe_text(1), row.maybe_text(2), row.maybe_text(3), row.maybe_text(4)},
            row.integer(5),
            row.instant(6),
            row.instant(7)};
}

domain::CustomerAddress customer_address_of(const sql::Row& row) {
    return {domain::AddressId(row.uuid(0)),
            row.maybe_text(1),
            {row.maybe_text(2), row.text(3), row.maybe_text(4), row.text(5), row.maybe_text(6),
             row.text(7), row.text(8), row.maybe_text(9)},
            row.boolean(10),
            row.integer(11),
            row.instant(12),
            row.instant(13)};
}

sql::Params params_of(const domain::Customer& customer) {
    const auto& [name, email, phone, metadata] = customer.details;
    return {customer.id,
            name,
            folded(name),
            email,
            folded(email),
            phone,
            metadata ? sql::Value(sql::Json{*metadata}) : sql::Value(),
            customer.version,
            customer.created_at,
            customer.updated_at};
}

sql::Params params_of(const domain::CustomerAddress& kept, std::string_view customer) {
    const domain::Address& address = kept.address;
    return {kept.id,         kept.label,     address.recipient,   address.line1,   address.line2,
            address.city,    address.region, address.postal_code, address.country, address.phone,
            kept.is_default, kept.version,   kept.created_at,     kept.updated_at, customer};
}

}  // namespace trackops::order::adapters
