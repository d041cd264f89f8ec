// An order with its sagas: what is loaded, changed and saved as one. Everything that can happen to
// an order is a function here.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/request.hpp"
#include "order/domain/order.hpp"
#include "order/domain/saga.hpp"

namespace trackops::order::domain {

// One change of status, as history keeps it. Each has exactly one announcement.
struct StatusChange {
    std::int64_t version = 0;    // of the order after it
    std::optional<Status> from;  // nothing: placed
    Status to = Status::pending;
    std::string reason;  // of a cancellation; "" otherwise
    std::string actor;   // anonymous, inventory, saga
    Instant at;
};

enum class OrderEventType : std::uint8_t { created, status_updated, delivered, cancelled };

// What the world must be told, with the transaction that makes it true.
struct OrderEvent {
    OrderEventType event_type = OrderEventType::created;
    StatusChange change;  // for one that is sent again: as it was
    Trace trace;
    // When it is said: what waits to leave the outbox has waited since then, not since the change.
    Instant emitted_at = {};
};

struct OrderAggregate {
    Order order;
    std::vector<Saga> sagas;  // at most one a type
    std::int64_t events_sent =
        0;  // number of its events so far: the next one's sequence is one more
    // The actor of its cancellation; known while a saga waits for the release.
    std::string cancelled_by;
    // Done since it was loaded, in order:
    std::vector<StatusChange> changes;
    std::vector<OrderEvent> new_events;
};

// Who does something, when, and with what patience the sagas wait from then on.
struct CommandContext {
    Instant now;
    std::string actor;
    Trace trace;
    SagaTimeouts timeouts;
};

// A new order, PENDING, with its saga; ORDER_CREATED is announced. Errc::invalid as total_of().
Result<OrderAggregate> place(OrderTerms terms, OrderId id, SagaId saga, const CommandContext& at);

struct Command {
    Action action = Action::process;   // never confirm: that is inventory's to say
    std::string reason;                // of a cancellation; "" is CUSTOMER_REQUEST
    std::optional<Shipment> shipment;  // of ship
};
// What a client asks of an order. cancellation: the id of the saga that a cancellation of a
// confirmed order starts. Errc::illegal_transition leaves the record as it was.
Result<void> apply(OrderAggregate& record, const Command& command, SagaId cancellation,
                   const CommandContext& at);

enum class ReservationOutcome : std::uint8_t { reserved, refused, not_reserved, released };
// What inventory answered. Every answer in every state has a rule; a repeat changes nothing.
void apply_reservation_outcome(OrderAggregate& record, ReservationOutcome answer,
                               const CommandContext& at);

// Sends again, or gives up, what has waited too long. relay_lag: for how long events have been
// waiting to leave; while that is the reason, nothing is sent again on top of it, and a deadline is
// put off: from then on by as long as they have waited, at most by the patience for a reservation.
void on_timer(OrderAggregate& record, Duration relay_lag, const CommandContext& at);

}  // namespace trackops::order::domain
