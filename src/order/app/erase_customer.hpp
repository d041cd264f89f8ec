// The use case that erases what is known of a customer as a person.
#pragma once
#include <functional>
#include <span>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "order/app/customer_ports.hpp"

namespace trackops::order::app {

struct EraseCustomer {
    domain::CustomerId customer;
    bool is_dry_run = false;
    std::string actor;
    Trace trace;
    std::optional<IdempotencyKey> key;
    AuditedActPtr act = {};
};

// The things that an erasure replaces, or would.
struct Erasure {
    std::int64_t orders = 0;     // finished orders of the customer
    std::int64_t addresses = 0;  // of the address book
};

struct EraseResult {
    Erasure erasure;
    // The response to the first request with the same idempotency key. When it is set, `erasure`
    // has no meaning.
    std::optional<RecordedResponse> replayed;
};

// The dependencies of the use case.
struct ErasePorts {
    CustomerStore& customers;
    OrderStore& orders;
    const Clock& clock;
    Ids& ids;
    domain::SagaTimeouts timeouts;
    // Gets the orders that were changed, as they are now.
    std::function<void(std::span<const domain::Order>)> on_orders_erased;
};

// Erases the personal data of the customer's orders, of the recorded responses that show some, and
// of the customer, and tells the world. The orders are changed in several transactions; a
// repeat goes on where an earlier erasure was broken off. An order that is placed meanwhile counts
// as one that was there before, or, with an address of its own, as one that was placed afterwards
// and keeps its data. A dry run only counts. Errc::not_found when there is neither the customer nor
// an order of it; Errc::conflict while one of its orders is not finished; the errors of the stores.
Result<EraseResult> erase_customer(const EraseCustomer& command, const ErasePorts& ports,
                                   const std::function<RecordedResponse(const Erasure&)>& answer);

}  // namespace trackops::order::app
