#include "order/domain/order_aggregate.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include <fmt/format.h>

#include "order/domain/address_rules.hpp"

namespace trackops::order::domain {
namespace {

void record_event(OrderAggregate& record, Event event, const CommandContext& at) {
    const Status before = record.order.status;
    apply(record.order, event, at.now);
    if (std::holds_alternative<OrderCancelled>(event)) record.cancelled_by = at.actor;
    const Order& order = record.order;
    record.events.push_back({std::move(event), order.version, before, order.status,
                             order.terms.external_ref, order.shipment.value_or(Shipment{}),
                             at.actor, at.trace, at.now});
}

// The start of the release step is the time of the cancellation. updated_at may be later: it does
// not go back when the clock does.
ReleaseRetried release_retried(const OrderAggregate& record, const Saga& saga) {
    const Order& order = record.order;
    return {order.cancel_reason.value_or(""), record.cancelled_by,
            saga.steps.back().started_at.value_or(order.updated_at)};
}

bool is_of_unknown_sku(const Shortage& shortage) { return shortage.reason == unknown_sku; }

// With an unknown SKU the order is wrong, and more stock would not help.
std::string refusal_reason(const std::vector<Shortage>& shortages) {
    return std::string(std::ranges::any_of(shortages, is_of_unknown_sku) ? unknown_sku
                                                                         : out_of_stock);
}

// Returns the shortages for a person who reads the saga.
std::string shortages_text(const std::vector<Shortage>& shortages) {
    constexpr std::size_t named_max = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(shortages.size(), named_max); ++i) {
        const Shortage& one = shortages[i];
        text += i == 0 ? "" : "; ";
        text += is_of_unknown_sku(one) ? fmt::format("there is no SKU {}", one.sku)
                                       : fmt::format("of {} {} were asked for, {} are available",
                                                     one.sku, one.requested, one.available);
    }
    if (shortages.size() > named_max)
        text += fmt::format("; and {} more", shortages.size() - named_max);
    return text;
}

// Does what the saga demands of the order, if the order's status allows it.
void perform(OrderAggregate& record, Saga& saga, SagaAction saga_action, const CommandContext& at,
             const std::vector<Shortage>& shortages = {}) {
    const auto record_if_legal = [&](Action action, Event event) {
        if (next(record.order.status, action)) record_event(record, std::move(event), at);
    };
    switch (saga_action) {
        case SagaAction::nothing:
            return;
        case SagaAction::confirm:
            return record_if_legal(Action::confirm, OrderConfirmed{});
        case SagaAction::cancel_out_of_stock:
            if (!shortages.empty()) saga.steps.front().last_error = shortages_text(shortages);
            return record_if_legal(Action::cancel,
                                   OrderCancelled{refusal_reason(shortages), shortages});
        case SagaAction::cancel_timed_out:
            return record_if_legal(Action::cancel, OrderCancelled{std::string(timed_out)});
        case SagaAction::resend_created:
            return record_event(record, ReservationRetried{}, at);
        case SagaAction::resend_cancelled:
            return record_event(record, release_retried(record, saga), at);
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

Event event_of(const Command& command) {
    switch (command.action) {
        case Action::process:
            return ProcessingStarted{};
        case Action::ship:
            return OrderShipped{command.shipment.value_or(Shipment{})};
        case Action::deliver:
            return OrderDelivered{};
        case Action::cancel:
            return OrderCancelled{command.reason.empty() ? std::string(customer_request)
                                                         : command.reason};
        case Action::confirm:
            break;
    }
    assert(false);  // only inventory's reply confirms an order
    return OrderConfirmed{};
}

// A field of the details, with the last status in which it may change. An order that is CANCELLED
// keeps its details.
struct DetailField {
    std::string_view name;  // as in the API
    bool (*is_equal)(const OrderDetails&, const OrderDetails&);
    Status last_open;
};
template <auto member>
bool is_equal(const OrderDetails& one, const OrderDetails& other) {
    return one.*member == other.*member;
}
constexpr std::string_view shipment_field = "shipment";
constexpr auto detail_fields = std::to_array<DetailField>({
    {"shippingAddress", is_equal<&OrderDetails::shipping_address>, Status::processing},
    {"deliveryInstructions", is_equal<&OrderDetails::delivery_instructions>, Status::processing},
    {"externalRef", is_equal<&OrderDetails::external_ref>, Status::processing},
    {"metadata", is_equal<&OrderDetails::metadata>, Status::processing},
    {shipment_field, is_equal<&OrderDetails::shipment>, Status::shipped},
});
static_assert(Status::processing < Status::shipped && Status::shipped < Status::delivered &&
              Status::delivered < Status::cancelled);

std::string listed(const std::vector<std::string_view>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
        text += names[i];
    }
    return text;
}

std::string details_refusal_of(Status status, const std::vector<std::string_view>& refused) {
    std::vector<std::string_view> open;
    for (const DetailField& field : detail_fields) {
        if (status <= field.last_open) open.push_back(field.name);
    }
    return fmt::format("the order is {} and its {} can no longer be changed; {} can",
                       name_of(status), listed(refused),
                       open.empty() ? "nothing of it" : "its " + listed(open));
}

// Tells the sagas that a client has cancelled the order.
void begin_release(OrderAggregate& record, SagaId cancellation, const CommandContext& at) {
    bool somebody_waits = false;
    for (Saga& saga : record.sagas) {
        [[maybe_unused]] const SagaAction saga_action =
            advance(saga, Signal::cancelled, at.now, at.timeouts);
        assert(saga_action == SagaAction::nothing);
        somebody_waits = somebody_waits || saga.is_waiting();
    }
    if (!somebody_waits)
        record.sagas.push_back(begin_cancellation(cancellation, at.now, at.timeouts));
}

}  // namespace

Result<OrderAggregate> place(OrderTerms terms, OrderId id, SagaId saga, const CommandContext& at) {
    auto total = total_of(terms);
    if (!total) return std::unexpected(std::move(total).error());
    terms.total_amount_minor = *total;
    OrderAggregate record;
    record.order.id = id;
    record.order.terms = std::move(terms);
    record.sagas.push_back(begin_fulfilment(saga, at.now, at.timeouts));
    record_event(record, OrderPlaced{}, at);
    return record;
}

Result<std::vector<Event>> decide(const Order& order, const Command& command) {
    if (!next(order.status, command.action)) {
        if (command.is_repeatable && action_to(order.status) == command.action)
            return std::vector<Event>();
        return fail(Errc::illegal_transition, refusal_of(order.status, command.action));
    }
    return std::vector<Event>{event_of(command)};
}

Result<void> execute(OrderAggregate& record, const Command& command, SagaId cancellation,
                     const CommandContext& at) {
    std::vector<Event> events = TRY(decide(record.order, command));
    for (Event& event : events) {
        const bool is_cancellation = std::holds_alternative<OrderCancelled>(event);
        record_event(record, std::move(event), at);
        if (is_cancellation) begin_release(record, cancellation, at);
    }
    return {};
}

Result<std::vector<Event>> decide(const Order& order, const OrderDetails& wanted) {
    const OrderDetails current = details_of(order);
    std::vector<std::string_view> terms;
    std::vector<std::string_view> shipment;
    std::vector<std::string_view> refused;
    for (const DetailField& field : detail_fields) {
        if (field.is_equal(current, wanted)) continue;
        (field.name == shipment_field ? shipment : terms).push_back(field.name);
        if (order.status > field.last_open) refused.push_back(field.name);
    }
    if (!refused.empty())
        return fail(Errc::illegal_transition, details_refusal_of(order.status, refused));
    std::vector<Event> events;
    if (!terms.empty()) events.emplace_back(OrderDetailsChanged{wanted, std::move(terms)});
    if (!shipment.empty())
        events.emplace_back(ShipmentCorrected{wanted.shipment, std::move(shipment)});
    return events;
}

Result<void> change_details(OrderAggregate& record, const OrderDetails& wanted,
                            const CommandContext& at) {
    std::vector<Event> events = TRY(decide(record.order, wanted));
    for (Event& event : events) record_event(record, std::move(event), at);
    return {};
}

Result<void> erase_personal_data(OrderAggregate& record, const CommandContext& at) {
    const Order& order = record.order;
    if (!is_final(order.status)) {
        return fail(Errc::conflict, fmt::format("the order {} is {}, which is not its end",
                                                order.id.text(), name_of(order.status)));
    }
    const OrderDetails current = details_of(order);
    PersonalDataErased event{current, {}};
    event.details.shipping_address = erased_address(current.shipping_address.country);
    event.details.delivery_instructions.reset();
    event.details.metadata.reset();
    for (const DetailField& field : detail_fields) {
        if (!field.is_equal(current, event.details)) event.changed.push_back(field.name);
    }
    if (!event.changed.empty()) record_event(record, std::move(event), at);
    return {};
}

void apply_reservation_outcome(OrderAggregate& record, ReservationOutcome answer,
                               const CommandContext& at, const std::vector<Shortage>& shortages) {
    for (Saga& saga : record.sagas)
        perform(record, saga, advance(saga, signal_of(answer), at.now, at.timeouts), at, shortages);
}

void on_timer(OrderAggregate& record, Duration relay_lag, const CommandContext& at) {
    for (Saga& saga : record.sagas) {
        if (!saga.is_waiting()) continue;
        const Instant patient_until = at.now - relay_lag;  // the relay's lag does not count
        if (saga.deadline_at && *saga.deadline_at <= patient_until) {
            perform(record, saga, advance(saga, Signal::deadline, at.now, at.timeouts), at);
        } else if (saga.deadline_at && *saga.deadline_at <= at.now) {
            extend_deadline(saga, relay_lag, at);
        } else if (saga.next_attempt_at && *saga.next_attempt_at <= patient_until) {
            perform(record, saga, advance(saga, Signal::retry_due, at.now, at.timeouts), at);
        }
    }
}

}  // namespace trackops::order::domain
