// The addresses of customers that new orders name instead of giving one.
#pragma once
#include <map>
#include <span>

#include "order/app/ports.hpp"
#include "order/domain/customer.hpp"
#include "platform/sql/database.hpp"

namespace trackops::order::adapters {

// Whether any of the orders names an address of its customer.
bool any_names_an_address(std::span<const app::NewOrder> orders);

// Queues the statement that reads the addresses; for orders that name none it queues nothing.
class ShippingAddresses {
public:
    ShippingAddresses(sql::Transaction& tx, std::span<const app::NewOrder> orders);
    // Returns the address, once `tx` is flushed. Errc::invalid when the customer has no address
    // with the id.
    Result<domain::Address> find(domain::AddressId id, const domain::CustomerId& customer) const;

private:
    const sql::Statement& found_;
};

// Keeps the addresses that the orders name as they are until the end of the write transaction, so
// that a customer who is erased meanwhile is not in an order that is placed afterwards. Flushes the
// transaction. Throws ConcurrencyConflict when an address is no longer as it was copied.
void keep_addresses(sql::Transaction& tx, std::span<const app::NewOrder> orders);

}  // namespace trackops::order::adapters
