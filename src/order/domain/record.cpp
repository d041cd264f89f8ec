#include "order/domain/record.hpp"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

namespace trackops::order::domain {
namespace {

constexpr Announcement announcement_of(Status to) {
    switch (to) {
        case Status::pending:
            return Announcement::created;
        case Status::delivered:
            return Announcement::delivered;
        case Status::cancelled:
            return Announcement::cancelled;
        case Status::confirmed:
        case Status::processing:
        case Status::shipped:
            break;
    }
    return Announcement::status_updated;
}

void move_to(OrderRecord& record, Status to, std::string reason, const Circumstances& at) {
    Order& order = record.order;
    Change change{order.version + 1, order.status, to, std::move(reason), at.actor, at.now};
    order.status = to;
    order.version = change.version;
    // A clock that stepped back must not make an order older than it was.
    order.updated_at = std::max(order.updated_at, at.now);
    if (to == Status::cancelled) {
        order.cancel_reason = change.reason;
        record.cancelled_by = change.actor;
    }
    record.notices.push_back({announcement_of(to), change, at.trace, at.now});
    record.changes.push_back(std::move(change));
}

// Who placed it is not announced.
Change creation_of(const OrderRecord& record, const Circumstances& at) {
    return {1, {}, Status::pending, "", at.actor, record.order.created_at};
}

// Of an order whose release the saga waits for. It has waited since the cancellation; a clock that
// stepped back has left the order newer.
Change cancellation_of(const OrderRecord& record, const Saga& saga) {
    const Order& order = record.order;
    return {order.version,       {},
            order.status,        order.cancel_reason.value_or(""),
            record.cancelled_by, saga.steps.back().started_at.value_or(order.updated_at)};
}

// An announcement once more, as it was; it gets a new event id.
void send_again(OrderRecord& record, Announcement announcement, Change change,
                const Circumstances& at) {
    record.notices.push_back({announcement, std::move(change), at.trace, at.now});
}

void carry_out(OrderRecord& record, const Saga& saga, Ask ask, const Circumstances& at) {
    const auto move_if_legal = [&](Action action, std::string_view reason) {
        if (const auto to = next(record.order.status, action))
            move_to(record, *to, std::string(reason), at);
    };
    switch (ask) {
        case Ask::nothing:
            return;
        case Ask::confirm:
            return move_if_legal(Action::confirm, "");
        case Ask::cancel_out_of_stock:
            return move_if_legal(Action::cancel, out_of_stock);
        case Ask::cancel_timed_out:
            return move_if_legal(Action::cancel, timed_out);
        case Ask::send_created_again:
            return send_again(record, Announcement::created, creation_of(record, at), at);
        case Ask::send_cancelled_again:
            return send_again(record, Announcement::cancelled, cancellation_of(record, saga), at);
    }
}

// When the relay is back, whoever answers has all that waited before it. A moment's lag is not
// worth it: there is always one.
void put_off(Saga& saga, Duration relay_lag, const Circumstances& at) {
    if (relay_lag < at.patience.first_retry) return;
    saga.deadline_at = at.now + std::min(relay_lag, at.patience.reserve_deadline);
    saga.next_attempt_at = at.now + at.patience.first_retry;
}

constexpr Signal signal_of(StockAnswer answer) {
    switch (answer) {
        case StockAnswer::reserved:
            return Signal::reserved;
        case StockAnswer::refused:
            return Signal::refused;
        case StockAnswer::not_reserved:
            return Signal::not_reserved;
        case StockAnswer::released:
            break;
    }
    return Signal::released;
}

}  // namespace

Result<OrderRecord> place(Draft draft, OrderId id, SagaId saga, const Circumstances& at) {
    auto total = total_of(draft);
    if (!total) return std::unexpected(std::move(total).error());
    draft.total_amount_minor = *total;
    OrderRecord record;
    record.order.id = id;
    record.order.agreed = std::move(draft);
    record.order.created_at = record.order.updated_at = at.now;
    record.sagas.push_back(begin_fulfilment(saga, at.now, at.patience));
    record.changes.push_back({1, {}, Status::pending, "", at.actor, at.now});
    record.notices.push_back({Announcement::created, record.changes.back(), at.trace, at.now});
    return record;
}

Result<void> apply(OrderRecord& record, const Command& command, SagaId cancellation,
                   const Circumstances& at) {
    assert(command.action != Action::confirm);
    const auto to = next(record.order.status, command.action);
    if (!to) {
        return fail(Errc::illegal_transition,
                    fmt::format("an order that is {} cannot {}", name_of(record.order.status),
                                name_of(command.action)));
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
        const Ask ask = advance(saga, Signal::cancelled, at.now, at.patience);
        assert(ask == Ask::nothing);
        somebody_waits = somebody_waits || saga.is_waiting() || ask != Ask::nothing;
    }
    if (!somebody_waits)
        record.sagas.push_back(begin_cancellation(cancellation, at.now, at.patience));
    return {};
}

void settle(OrderRecord& record, StockAnswer answer, const Circumstances& at) {
    for (Saga& saga : record.sagas)
        carry_out(record, saga, advance(saga, signal_of(answer), at.now, at.patience), at);
}

void look_at_clock(OrderRecord& record, Duration relay_lag, const Circumstances& at) {
    for (Saga& saga : record.sagas) {
        if (!saga.is_waiting()) continue;
        const Instant patient_until = at.now - relay_lag;  // the wait for the relay does not count
        if (saga.deadline_at && *saga.deadline_at <= patient_until) {
            carry_out(record, saga, advance(saga, Signal::deadline, at.now, at.patience), at);
        } else if (saga.deadline_at && *saga.deadline_at <= at.now) {
            put_off(saga, relay_lag, at);
        } else if (saga.next_attempt_at && *saga.next_attempt_at <= patient_until) {
            carry_out(record, saga, advance(saga, Signal::retry_due, at.now, at.patience), at);
        }
    }
}

}  // namespace trackops::order::domain
