// The order aggregate: an order with its sagas, loaded, changed and saved as a unit. A command, a
// reply and a deadline are decided into events, which are applied and recorded.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/request.hpp"
#include "order/domain/events.hpp"
#include "order/domain/order.hpp"
#include "order/domain/saga.hpp"

namespace trackops::order::domain {

// An event as the order's history records it. The transaction that makes it true also writes the
// public event to the outbox, if the world hears of it.
struct RecordedEvent {
    Event event;
    std::int64_t version = 0;         // the order's version after the event
    Status before = Status::pending;  // the order's status before the event
    Status after = Status::pending;
    std::optional<std::string> external_ref;  // after the event
    Shipment shipment;                        // after the event; without members if there is none
    std::string actor;                        // the name of the caller, inventory or saga
    Trace trace;
    Instant at;  // the age of the outbox backlog counts from this time
};

struct OrderAggregate {
    Order order;
    std::vector<Saga> sagas;  // at most one of each type
    // The number of public events of the order before `events`. The next one has the sequence
    // events_sent + 1.
    std::int64_t events_sent = 0;
    // The actor of the order's cancellation. Loaded only while a saga waits for the release.
    std::string cancelled_by;
    // The events since the aggregate was loaded, in order.
    std::vector<RecordedEvent> events;
};

// The context of a command: its time, actor and trace, and the timeouts of the sagas from then on.
struct CommandContext {
    Instant now;
    std::string actor;
    Trace trace;
    SagaTimeouts timeouts;
};

// Returns a new PENDING order with its fulfilment saga and the event OrderPlaced. Errc::invalid as
// for total_of().
Result<OrderAggregate> place(OrderTerms terms, OrderId id, SagaId saga, const CommandContext& at);

struct Command {
    Action action = Action::process;   // never confirm: only inventory's reply confirms an order
    std::string reason;                // for cancel; "" means CUSTOMER_REQUEST
    std::optional<Shipment> shipment;  // for ship
    // An order that the action led to before is left as it is, so that a repeat succeeds.
    bool is_repeatable = false;
};
// Returns the events of a client's command; none when the order stays as it is.
// Errc::illegal_transition when the order's status does not allow the action: the detail names the
// status and what is possible instead.
Result<std::vector<Event>> decide(const Order& order, const Command& command);
// Decides the command, then applies and records its events. `cancellation` is the id of the saga
// that is started when a cancelled order has no saga that waits. A refused command leaves the
// record unchanged.
Result<void> execute(OrderAggregate& record, const Command& command, SagaId cancellation,
                     const CommandContext& at);

// Returns the events that give the order these details; none when it has them already. The terms
// among them may change until the order is SHIPPED, the shipment until it is DELIVERED; after that
// Errc::illegal_transition, whose detail names the status, the fields, and what is possible.
Result<std::vector<Event>> decide(const Order& order, const OrderDetails& wanted);
// Decides the change of details, then applies and records its events.
Result<void> change_details(OrderAggregate& record, const OrderDetails& wanted,
                            const CommandContext& at);
// Replaces what is personal in a finished order: the address save its country, the delivery
// instructions and the metadata. An order in which nothing is left to replace stays as it is.
// Errc::conflict while the order is not finished.
Result<void> erase_personal_data(OrderAggregate& record, const CommandContext& at);

enum class ReservationOutcome : std::uint8_t { reserved, refused, not_reserved, released };
// Applies inventory's reply to the order and its sagas. Every outcome has a rule in every saga
// status. A repeated reply changes nothing. `shortages`: those of a refusal; an older inventory
// service may name none.
void apply_reservation_outcome(OrderAggregate& record, ReservationOutcome answer,
                               const CommandContext& at,
                               const std::vector<Shortage>& shortages = {});

// Retries or gives up the steps of the sagas whose next attempt or deadline has come. `relay_lag`
// is the age of the oldest event that waits for the relay. This time counts towards neither a
// deadline nor a retry. When a deadline has passed within the last relay_lag, and relay_lag is at
// least first_retry, the deadline moves to now + relay_lag, at most to now + reserve_deadline, and
// the next attempt to now + first_retry.
void on_timer(OrderAggregate& record, Duration relay_lag, const CommandContext& at);

}  // namespace trackops::order::domain
