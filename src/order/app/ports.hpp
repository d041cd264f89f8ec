// The ports of the order use cases. Every adapter keeps these promises; the contract suite tests
// each adapter.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/audited_act.hpp"
#include "base/instant.hpp"
#include "base/request.hpp"
#include "base/result.hpp"
#include "base/version_condition.hpp"
#include "order/domain/order_aggregate.hpp"

namespace trackops::order::app {

struct NewOrder {
    domain::OrderAggregate record;
    std::optional<IdempotencyKey> key;
    AuditedActPtr act = {};
};

// A change of one order. A cause has at most one effect in the inbox of its consumer. The cause is
// a generated id or the id of the message that is handled.
struct OrderChange {
    domain::OrderId id;
    Uuid cause;
    std::string consumer;  // the owner of the inbox that records the cause
    std::optional<IdempotencyKey> key;
    VersionCondition condition;  // Errc::precondition_failed if it does not hold
    // Must be pure: it may run more than once, each time on a freshly loaded record. When it
    // returns an error it leaves the record unchanged.
    std::function<Result<void>(domain::OrderAggregate&)> change;
    AuditedActPtr act = {};
};

struct SaveResult {
    domain::Order order;  // empty when `recorded` is set
    // The response to the first request with the same idempotency key.
    std::optional<RecordedResponse> recorded;
};

// Returns the response of the edge to a request with an idempotency key: 201 to a placed order, 200
// to a change. Pure.
using Respond = RecordedResponse (*)(int status, const domain::Order& order);

struct OrderFilter {
    std::vector<domain::Status> statuses;  // one of them; empty: any
    std::optional<domain::CustomerId> customer;
    std::optional<std::string> external_ref;
    std::optional<std::string> sku;       // of a line
    std::optional<Instant> created_from;  // inclusive
    std::optional<Instant> created_to;    // exclusive
    std::optional<Instant> updated_from;  // inclusive; of list_updated() alone
    bool is_stuck = false;                // a saga of the order is BLOCKED: it waits for a person
};

// The place of an order in a list by the time of its last change.
struct UpdatedCursor {
    Instant updated_at;
    domain::OrderId id;
};

template <class Item, class Cursor>
struct Page {
    std::vector<Item> items;
    std::optional<Cursor> next;  // empty on the last page
};

// One row of an order's history, which is the list of its domain events.
struct HistoryEntry {
    std::int64_t revision = 0;             // grows from one entry to the next, not always by 1
    std::int64_t version = 0;              // the order's version after the event
    std::string type;                      // the name in domain::event_rules
    std::optional<domain::Status> before;  // empty before the first status
    domain::Status after = domain::Status::pending;
    std::string reason;                // of a cancellation; otherwise ""
    std::vector<std::string> changed;  // the names of the fields that a client has changed
    std::vector<domain::Shortage> cancel_details;  // of a cancellation; see domain::Order
    std::string actor;
    std::string correlation;
    std::string causation;         // the id of the message or request that caused the event
    std::optional<Uuid> event_id;  // of the public event; empty when the world does not hear it
    Instant at;
};

struct SagaFilter {
    std::optional<domain::SagaStatus> status;
    std::optional<domain::SagaType> type;
    std::optional<domain::OrderId> order;
};
struct SagaOfOrder {
    domain::Saga saga;
    domain::OrderId order;
};

// Thread-safe. Every call blocks and runs in transactions of its own. Errors of every call:
// Errc::unavailable when the database is away or overloaded; Errc::outcome_unknown when the outcome
// of a commit is unknown and could not be determined; Errc::internal for a defect.
class OrderStore {
public:
    virtual ~OrderStore() = default;
    // Saves each new order with its saga, history, events, idempotency key and row of the audit log
    // in one transaction, which the orders of a call share where possible. Returns one result for
    // each order, in order. An order with a shipping_address_id gets a copy of that address of its
    // customer, as it is now. A key that was used before gets the recorded response.
    // Errc::key_reused when the key was used with another body; Errc::invalid when the customer has
    // no such address, or the database refuses the data of the order.
    virtual std::vector<Result<SaveResult>> add(std::span<const NewOrder> orders) = 0;
    // Applies the changes under an optimistic lock: loads the orders, runs each change (those of
    // one order in sequence), and saves the orders in one transaction that is guarded by their
    // revisions. The changes of a call share this transaction where possible. After a concurrency
    // conflict all of this runs again. Returns one result for each change, in order. A cause that
    // was handled before returns the order as it is; a key that was used before returns the
    // recorded response. A refused change has no effect. Errc::not_found,
    // Errc::precondition_failed, Errc::key_reused, Errc::invalid when the database refuses the data
    // of the change, or the error that the change returns.
    virtual std::vector<Result<SaveResult>> update(std::span<const OrderChange> changes) = 0;

    // Returns one result for each id, in order. Errc::not_found when there is no order with the id.
    virtual std::vector<Result<domain::Order>> find(std::span<const domain::OrderId> ids) = 0;
    // Returns the orders among `ids` whose status is no longer PENDING.
    virtual Result<std::vector<domain::Order>> settled(std::span<const domain::OrderId> ids) = 0;
    // Returns at most `limit` orders, the newest first, that come behind the order `after`.
    virtual Result<Page<domain::Order, domain::OrderId>> list(const OrderFilter& filter,
                                                              std::optional<domain::OrderId> after,
                                                              std::size_t limit) = 0;
    // Returns at most `limit` orders, the one whose last change is oldest first, that come behind
    // `after`. An order that changes between two pages moves to the end, so it is on a later page,
    // and none is left out.
    virtual Result<Page<domain::Order, UpdatedCursor>> list_updated(
        const OrderFilter& filter, std::optional<UpdatedCursor> after, std::size_t limit) = 0;
    // Returns the order's history, the oldest entry first. Errc::not_found.
    virtual Result<std::vector<HistoryEntry>> timeline(domain::OrderId id) = 0;

    // Errc::not_found when there is no saga with the id.
    virtual Result<SagaOfOrder> saga(domain::SagaId id) = 0;
    // Returns at most `limit` sagas, the newest first, that come behind the saga `after`.
    virtual Result<Page<SagaOfOrder, domain::SagaId>> sagas(const SagaFilter& filter,
                                                            std::optional<domain::SagaId> after,
                                                            std::size_t limit) = 0;
    // Claims at most `limit` sagas that are due at `now` and returns their orders, each once. No
    // other caller gets a claimed saga before now + lease.
    virtual Result<std::vector<domain::OrderId>> claim_due(Instant now, Duration lease,
                                                           std::size_t limit) = 0;
};

}  // namespace trackops::order::app
