#include "order/domain/order_aggregate.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include <fmt/format.h>

namespace trackops::order::domain {
namespace {

constexpr OrderEventType event_type_of(Status to) {
    switch (to) {
        case Status::pending:
            return OrderEventType::created;
        case Status::delivered:
            return OrderEventType::delivered;
        case Status::cancelled:
            return OrderEventType::cancelled;
        case Status::confirmed:
        case Status::processing:
        case Status::shipped:
            break;
    }
    return OrderEventType::status_updated;
}

void move_to(OrderAggregate& record, Status to, std::string reason, const CommandContext& at) {
    Order& order = record.order;
    StatusChange change{order.version + 1, order.status, to, std::move(reason), at.actor, at.now};
    order.status = to;
    order.version = change.version;
    // updated_at never goes back, even when the clock does.
    order.updated_at = std::max(order.updated_at, at.now);
    if (to == Status::cancelled) {
        order.cancel_reason = change.reason;
        record.cancelled_by = change.actor;
    }
    record.new_events.push_back({event_type_of(to), change, at.trace, at.now});
    record.changes.push_back(std::move(change));
}

// The status change of the order's creation. ORDER_CREATED does not name the actor, so its actor
// may be another one than the original.
StatusChange order_created_event(const OrderAggregate& record, const CommandContext& at) {
    return {1, {}, Status::pending, "", at.actor, record.order.created_at};
}

// The status change of the cancellation of an order whose release the saga waits for. The start of
// the release step is the time of the cancellation. updated_at may be later: it does not go back
// when the clock does.
StatusChange order_cancelled_event(const OrderAggregate& record, const Saga& saga) {
    const Order& order = record.order;
    return {order.version,       {},
            order.status,        order.cancel_reason.value_or(""),
            record.cancelled_by, saga.steps.back().started_at.value_or(order.updated_at)};
}

// Sends an event again with the original change. The repeated event gets a new event id.
void emit_again(OrderAggregate& record, OrderEventType event_type, StatusChange change,
                const CommandContext& at) {
    record.new_events.push_back({event_type, std::move(change), at.trace, at.now});
}

void execute(OrderAggregate& record, const Saga& saga, SagaAction saga_action,
             const CommandContext& at) {
    const auto move_if_legal = [&](Action action, std::string_view reason) {
        if (const auto to = next(record.order.status, action))
            move_to(record, *to, std::string(reason), at);
    };
    switch (saga_action) {
        case SagaAction::nothing:
            return;
        case SagaAction::confirm:
            return move_if_legal(Action::confirm, "");
        case SagaAction::cancel_out_of_stock:
            return move_if_legal(Action::cancel, out_of_stock);
        case SagaAction::cancel_timed_out:
            return move_if_legal(Action::cancel, timed_out);
        case SagaAction::resend_created:
            return emit_again(record, OrderEventType::created, order_created_event(record, at), at);
        case SagaAction::resend_cancelled:
            return emit_again(record, OrderEventType::cancelled,
                              order_cancelled_event(record, saga), at);
    }
}

// Extends a deadline that has passed while the relay lagged: once the relay has caught up,
// inventory must first handle everything that waited. A lag below first_retry does not count,
// because there is always some lag.
void extend_deadline(Saga& saga, Duration relay_lag, const CommandContext& at) {
    if (relay_lag < at.timeouts.first_retry) return;
    saga.deadline_at = at.now + std::min(relay_lag, at.timeouts.reserve_deadline);
    saga.next_attempt_at = at.now + at.timeouts.first_retry;
}

constexpr Signal signal_of(ReservationOutcome answer) {
    switch (answer) {
        case ReservationOutcome::reserved:
            return Signal::reserved;
        case ReservationOutcome::refused:
            return Signal::refused;
        case ReservationOutcome::not_reserved:
            return Signal::not_reserved;
        case ReservationOutcome::released:
            break;
    }
    return Signal::released;
}

std::string_view participle_of(Action action) {
    constexpr auto participles = std::to_array<std::string_view>(
        {"confirmed", "processed", "shipped", "delivered", "cancelled"});
    static_assert(participles.size() == actions.size());
    return participles.at(static_cast<std::size_t>(action));
}

// Returns what a client learns: the status, and the actions that are possible instead.
std::string refusal_of(Status status, Action refused) {
    std::string text =
        fmt::format("the order is {} and cannot be {}", name_of(status), participle_of(refused));
    std::string possible;
    for (const Action action : actions) {
        if (action == Action::confirm || !next(status, action)) continue;
        possible += fmt::format("{}{}", possible.empty() ? "" : " or ", participle_of(action));
    }
    if (possible.empty()) return text + "; this is the end of its life";
    return text + "; it can be " + possible;
}

}  // namespace

Result<OrderAggregate> place(OrderTerms terms, OrderId id, SagaId saga, const CommandContext& at) {
    auto total = total_of(terms);
    if (!total) return std::unexpected(std::move(total).error());
    terms.total_amount_minor = *total;
    OrderAggregate record;
    record.order.id = id;
    record.order.terms = std::move(terms);
    record.order.created_at = record.order.updated_at = at.now;
    record.sagas.push_back(begin_fulfilment(saga, at.now, at.timeouts));
    record.changes.push_back({1, {}, Status::pending, "", at.actor, at.now});
    record.new_events.push_back({OrderEventType::created, record.changes.back(), at.trace, at.now});
    return record;
}

Result<void> apply(OrderAggregate& record, const Command& command, SagaId cancellation,
                   const CommandContext& at) {
    assert(command.action != Action::confirm);
    const auto to = next(record.order.status, command.action);
    if (!to) {
        if (command.is_repeatable && action_to(record.order.status) == command.action) return {};
        return fail(Errc::illegal_transition, refusal_of(record.order.status, command.action));
    }
    if (command.action == Action::ship) record.order.shipment = command.shipment;
    if (command.action != Action::cancel) {
        move_to(record, *to, "", at);
        return {};
    }
    move_to(record, *to, command.reason.empty() ? std::string(customer_request) : command.reason,
            at);
    bool somebody_waits = false;
    for (Saga& saga : record.sagas) {
        [[maybe_unused]] const SagaAction saga_action =
            advance(saga, Signal::cancelled, at.now, at.timeouts);
        assert(saga_action == SagaAction::nothing);
        somebody_waits = somebody_waits || saga.is_waiting();
    }
    if (!somebody_waits)
        record.sagas.push_back(begin_cancellation(cancellation, at.now, at.timeouts));
    return {};
}

void apply_reservation_outcome(OrderAggregate& record, ReservationOutcome answer,
                               const CommandContext& at) {
    for (Saga& saga : record.sagas)
        execute(record, saga, advance(saga, signal_of(answer), at.now, at.timeouts), at);
}

void on_timer(OrderAggregate& record, Duration relay_lag, const CommandContext& at) {
    for (Saga& saga : record.sagas) {
        if (!saga.is_waiting()) continue;
        const Instant patient_until = at.now - relay_lag;  // the relay's lag does not count
        if (saga.deadline_at && *saga.deadline_at <= patient_until) {
            execute(record, saga, advance(saga, Signal::deadline, at.now, at.timeouts), at);
        } else if (saga.deadline_at && *saga.deadline_at <= at.now) {
            extend_deadline(saga, relay_lag, at);
        } else if (saga.next_attempt_at && *saga.next_attempt_at <= patient_until) {
            execute(record, saga, advance(saga, Signal::retry_due, at.now, at.timeouts), at);
        }
    }
}

}  // namespace trackops::order::domain
