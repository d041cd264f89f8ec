// External references that a shop wants to be unique for each customer.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "order/adapters/save_orders.hpp"
#include "platform/sql/database.hpp"

namespace trackops::order::adapters {

// A reference that an order takes in a transaction.
struct ExternalRefUse {
    std::string customer;
    std::string external_ref;
    domain::OrderId order;
    auto operator<=>(const ExternalRefUse&) const = default;
};

// Returns what the orders take: the references of new orders, and those that a change has set.
std::vector<ExternalRefUse> external_refs_taken_by(std::span<const OrderToSave> orders);

// Waits for the other transactions that take one of the references, and keeps them for the write
// transaction until its end. Flushes the transaction. Errc::conflict, with the id of the order that
// has one of them: another order of the same customer, or another one of `uses`. A cancelled order
// keeps its reference.
Result<void> keep_external_refs(sql::Transaction& tx, sql::Dialect dialect,
                                std::vector<ExternalRefUse> uses);

}  // namespace trackops::order::adapters
