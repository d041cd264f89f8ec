// What the use cases need, in their own words. Adapters keep these promises; the contract suite
// asks each adapter.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "base/request.hpp"
#include "base/result.hpp"
#include "order/domain/order_aggregate.hpp"

namespace trackops::order::app {

struct NewOrder {
    domain::OrderAggregate record;
    std::optional<IdempotencyKey> key;
};

// At most one effect a cause: a generated id, or the id of the message that is handled.
struct OrderChange {
    domain::OrderId id;
    Uuid cause;
    std::string consumer;  // whose inbox keeps the cause
    std::optional<IdempotencyKey> key;
    std::optional<std::int64_t> expected_version;  // If-Match
    // May run more than once, on a fresh record each time: pure. A refusal leaves the record as it
    // was.
    std::function<Result<void>(domain::OrderAggregate&)> change;
};

struct SaveResult {
    domain::Order order;
    std::optional<RecordedResponse> recorded;  // the key was answered before: this is what was said
};

struct OrderFilter {
    std::optional<domain::Status> status;
    std::optional<domain::CustomerId> customer;
    std::optional<std::string> external_ref;
    std::optional<Instant> created_from;  // inclusive
    std::optional<Instant> created_to;    // exclusive
};

template <class Item, class Cursor>
struct Page {
    std::vector<Item> items;
    std::optional<Cursor> next;
};

// One row of the timeline.
struct HistoryEntry {
    domain::StatusChange change;
    Uuid event_id;
    Uuid cause;
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

// Thread-safe. Each call is a transaction of its own. Errc::unavailable when the database is away
// or overloaded; Errc::outcome_unknown when a commit's answer was lost and could not be found out.
class OrderStore {
public:
    virtual ~OrderStore() = default;
    // Saves new orders with their sagas, history, events and idempotency keys in one transaction;
    // one answer each, in order. Errc::key_reused for a key that came with another body.
    virtual std::vector<Result<SaveResult>> add(std::span<const NewOrder> orders) = 0;
    // Optimistic: reads, lets each change speak (two for one order one after the other), writes
    // guarded by the revision in one transaction, runs a lost race again. A cause or key already
    // handled returns the order as it is. A refused change leaves no trace. Errc::not_found,
    // Errc::precondition_failed, Errc::key_reused, or what the change refuses.
    virtual std::vector<Result<SaveResult>> update(std::span<const OrderChange> changes) = 0;

    virtual std::vector<Result<domain::Order>> find(std::span<const domain::OrderId> ids) = 0;
    // Which of them have left PENDING.
    virtual Result<std::vector<domain::Order>> settled(std::span<const domain::OrderId> ids) = 0;
    // Newest first.
    virtual Result<Page<domain::Order, domain::OrderId>> list(const OrderFilter& filter,
                                                              std::optional<domain::OrderId> after,
                                                              std::size_t limit) = 0;
    virtual Result<std::vector<HistoryEntry>> timeline(domain::OrderId id) = 0;  // oldest first

    virtual Result<SagaOfOrder> saga(domain::SagaId id) = 0;
    virtual Result<Page<SagaOfOrder, domain::SagaId>> sagas(const SagaFilter& filter,
                                                            std::optional<domain::SagaId> after,
                                                            std::size_t limit) = 0;
    // Orders with a saga that is due, at most `limit`, each given to one caller only until now +
    // lease.
    virtual Result<std::vector<domain::OrderId>> claim_due(Instant now, Duration lease,
                                                           std::size_t limit) = 0;
};

}  // namespace trackops::order::app
