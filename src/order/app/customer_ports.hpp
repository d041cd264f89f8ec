// The ports of the customer use cases.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/request.hpp"
#include "base/result.hpp"
#include "order/app/ports.hpp"
#include "order/domain/customer.hpp"

namespace trackops::order::app {

struct CustomerWriteResult {
    // The customer after the write; nothing after its deletion.
    std::optional<domain::CustomerAggregate> record;
    // The response to the first request with the same idempotency key. When it is set, `record` has
    // no meaning.
    std::optional<RecordedResponse> replayed;
};

struct CustomerWrite {
    Uuid id;  // the id of the request, by which a commit with an unknown outcome is found
    std::string customer;
    domain::CustomerCommand command;
    std::optional<IdempotencyKey> key;
    // Returns the response to record. Required with a key, otherwise not called. It may be called
    // more than once.
    std::function<RecordedResponse(const CustomerWriteResult&)> answer;
    Trace trace = {};  // of the event that tells of an erasure
    // The number of orders of the customer for which the write is meant; absent: any.
    std::optional<std::int64_t> order_count = {};
    AuditedActPtr act = {};
};

struct CustomerFilter {
    std::optional<std::string> email;  // whatever the case of its letters
    std::optional<std::string> name;   // a part of the name, whatever the case of its letters
};

// Thread-safe. Every call blocks and runs in transactions of its own. Errors of every call:
// Errc::unavailable when the database is away or overloaded; Errc::internal for a defect.
class CustomerStore {
public:
    virtual ~CustomerStore() = default;
    // Must be pure: a transaction that runs again calls it again.
    using Decide = std::function<Result<std::optional<domain::CustomerAggregate>>(
        const std::optional<domain::CustomerAggregate>&)>;
    // Locks the customer, decides, and saves the customer with the response to the key in one
    // transaction. An erasure is announced by an event. Customers change rarely, so a write does
    // not share its transaction with others. Errors: that of `decide`; Errc::key_reused;
    // Errc::precondition_failed when the customer has another number of orders than the write is
    // meant for; Errc::invalid when the database refuses the data; Errc::outcome_unknown.
    virtual Result<CustomerWriteResult> write(const CustomerWrite& write, const Decide& decide,
                                              Instant now) = 0;
    // Returns the recorded response of the key; nothing for a new key. Errc::key_reused.
    virtual Result<std::optional<RecordedResponse>> recorded(const IdempotencyKey& key,
                                                             Instant now) = 0;
    // Erases the personal data in recorded responses that show the customer, or one of these orders
    // of it. Their keys stay taken. It reads all recorded responses.
    virtual Result<void> erase_answers(const std::string& customer,
                                       std::span<const domain::OrderId> orders) = 0;
    // Returns the customer with its addresses. Errc::not_found.
    virtual Result<domain::CustomerAggregate> find(std::string_view id) = 0;
    // Returns at most `limit` customers, sorted by id, that come behind the id `after`.
    virtual Result<Page<domain::Customer, std::string>> list(
        const CustomerFilter& filter, const std::optional<std::string>& after,
        std::size_t limit) = 0;
};

}  // namespace trackops::order::app
