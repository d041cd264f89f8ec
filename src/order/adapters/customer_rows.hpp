// Customers and their addresses as rows of the database.
#pragma once
#include "order/domain/customer.hpp"
#include "platform/sql/value.hpp"

namespace trackops::order::adapters {

// The columns of a customer: id, name, email, phone, metadata, version, created_at, updated_at.
domain::Customer customer_of(const sql::Row& row);
// The columns of an address: id, label, recipient, line1, line2, city, region, postal_code,
// country, phone, is_default, version, created_at, updated_at.
domain::CustomerAddress customer_address_of(const sql::Row& row);

// id, name, name_folded, email, email_folded, phone, metadata, version, created_at, updated_at
sql::Params params_of(const domain::Customer& customer);
// The columns of customer_address_of(), and behind them the id of the customer.
sql::Params params_of(const domain::CustomerAddress& address, std::string_view customer);

}  // namespace trackops::order::adapters
