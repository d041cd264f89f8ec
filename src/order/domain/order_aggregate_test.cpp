#include "order/domain/order_aggregate.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace trackops::order::domain {
namespace {

const Instant start{1'700'000'000'000'000};

CommandContext at(Duration after, std::string actor = "anonymous") {
    return {start + after, std::move(actor), {}, {}};
}

OrderAggregate placed() {
    OrderTerms terms;
    terms.currency = "GBP";
    terms.items = {{"a", {}, 2, 255}};
    OrderAggregate record =
        *place(terms, OrderId(uuid_v7(start, 1, 1)), SagaId(uuid_v7(start, 2, 2)), at({}));
    record.events.clear();
    return record;
}

const SagaId other_saga(uuid_v7(start, 3, 3));

std::vector<PublicEvent> announced(const OrderAggregate& record) {
    std::vector<PublicEvent> list;
    for (const RecordedEvent& entry : record.events) list.push_back(rule_of(entry.event).heard_as);
    return list;
}

OrderAggregate confirmed() {
    OrderAggregate record = placed();
    apply_reservation_outcome(record, ReservationOutcome::reserved, at({}, "inventory"));
    record.events.clear();
    return record;
}

// Rows: the saga's type (F: ORDER_FULFILMENT, C: ORDER_CANCELLATION) and status. Columns: the
// signal. ".": the status stays. After a slash: the action demanded of the order.
constexpr std::string_view saga_table = R"(
                reserved           refused                 not_reserved  released     cancelled     retry_due              deadline
F RUNNING       COMPLETED/confirm  COMPENSATED/no_stock    .             .            COMPENSATING  ./created_again        COMPENSATING/timed_out
F COMPLETED     .                  .                       BLOCKED       .            .             .                      .
F COMPENSATING  .                  .                       .             COMPENSATED  .             ./cancelled_again      BLOCKED
F COMPENSATED   .                  .                       .             .            .             .                      .
F BLOCKED       .                  .                       .             COMPENSATED  .             .                      .
C RUNNING       .                  .                       .             COMPLETED    .             ./cancelled_again      BLOCKED
C COMPLETED     .                  .                       .             .            .             .                      .
C COMPENSATING  .                  .                       .             .            .             .                      .
C COMPENSATED   .                  .                       .             .            .             .                      .
C BLOCKED       .                  .                       .             COMPLETED    .             .                      .
)";

TEST(SagaTable, AnswersEveryPairAsTheTableSays) {
    constexpr std::string_view asks[] = {"",           "/confirm",       "/no_stock",
                                         "/timed_out", "/created_again", "/cancelled_again"};
    std::istringstream rows{std::string(saga_table)};
    std::string word;
    for (std::size_t i = 0; i < signal_count; ++i) rows >> word;
    EXPECT_EQ(word, "deadline");
    int pairs = 0;
    while (rows >> word) {
        const SagaType type = word == "F" ? SagaType::fulfilment : SagaType::cancellation;
        rows >> word;
        const auto from = static_cast<SagaStatus>(std::ranges::find(saga_status_names, word) -
                                                  saga_status_names.begin());
        for (std::size_t i = 0; i < signal_count; ++i) {
            rows >> word;
            const SagaRule rule = rule_for(type, from, static_cast<Signal>(i));
            const std::string to(rule.to == from ? "." : name_of(rule.to));
            EXPECT_EQ(to + std::string(asks[static_cast<std::size_t>(rule.saga_action)]), word)
                << name_of(type) << " " << name_of(from) << " " << i;
            ++pairs;
        }
    }
    EXPECT_EQ(pairs, 70);
}

TEST(Order, IsPlacedWithItsSagaAndOneEvent) {
    OrderTerms terms;
    terms.items = {{"a", {}, 2, 255}};
    const auto record = place(terms, OrderId(uuid_v7(start, 1, 1)), other_saga, at({}));
    ASSERT_TRUE(record);
    EXPECT_EQ(record->order.status, Status::pending);
    EXPECT_EQ(record->order.total_amount_minor(), 510);
    EXPECT_EQ(announced(*record), std::vector{PublicEvent::order_created});
    ASSERT_EQ(record->sagas.size(), 1U);
    EXPECT_EQ(record->sagas[0].due_at(), start + SagaTimeouts{}.first_retry);
}

TEST(Order, IsConfirmedByTheReservationOnce) {
    OrderAggregate record = placed();
    apply_reservation_outcome(record, ReservationOutcome::reserved,
                              at(std::chrono::seconds(1), "inventory"));
    apply_reservation_outcome(record, ReservationOutcome::reserved,
                              at(std::chrono::seconds(2), "inventory"));
    EXPECT_EQ(record.order.status, Status::confirmed);
    EXPECT_EQ(record.order.version, 2);
    EXPECT_EQ(announced(record), std::vector{PublicEvent::order_status_updated});
    EXPECT_EQ(record.sagas[0].status, SagaStatus::completed);
    EXPECT_EQ(record.sagas[0].steps[0].status, StepStatus::done);
    EXPECT_EQ(record.sagas[0].steps[1].status, StepStatus::done);
    EXPECT_FALSE(record.sagas[0].due_at());
}

TEST(Order, IsCancelledWhenStockIsShort) {
    OrderAggregate record = placed();
    apply_reservation_outcome(record, ReservationOutcome::refused, at({}, "inventory"));
    EXPECT_EQ(record.order.status, Status::cancelled);
    EXPECT_EQ(record.order.cancel_reason, "OUT_OF_STOCK");
    EXPECT_EQ(record.events.at(0).actor, "inventory");
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensated);
    // The reply to ORDER_CANCELLED.
    apply_reservation_outcome(record, ReservationOutcome::released, at({}, "inventory"));
    EXPECT_EQ(announced(record), std::vector{PublicEvent::order_cancelled});
}

TEST(Order, KeepsWhatInventorySaidOfARefusal) {
    OrderAggregate record = placed();
    const std::vector<Shortage> shortages = {{"A", 3, 1, "INSUFFICIENT_STOCK"},
                                             {"b", 2, 0, "UNKNOWN_SKU"},
                                             {"C", 1, 0, "INSUFFICIENT_STOCK"},
                                             {"D", 1, 0, "INSUFFICIENT_STOCK"},
                                             {"E", 1, 0, "INSUFFICIENT_STOCK"}};
    apply_reservation_outcome(record, ReservationOutcome::refused, at({}, "inventory"), shortages);
    EXPECT_EQ(record.order.cancel_reason, "UNKNOWN_SKU");
    EXPECT_EQ(record.order.cancel_details, shortages);
    EXPECT_EQ(std::get<OrderCancelled>(record.events.at(0).event).details, shortages);
    EXPECT_EQ(record.sagas[0].steps[0].last_error,
              "of A 3 were asked for, 1 are available; there is no SKU b; of C 1 were asked for, 0 "
              "are available; and 2 more");
    OrderAggregate without = placed();
    apply_reservation_outcome(without, ReservationOutcome::refused, at({}, "inventory"),
                              {{"A", 3, 1, "INSUFFICIENT_STOCK"}});
    EXPECT_EQ(without.order.cancel_reason, "OUT_OF_STOCK");
}

TEST(Order, GoesThroughItsLife) {
    OrderAggregate record = confirmed();
    ASSERT_TRUE(execute(record, {Action::process, "", {}}, other_saga, at({})));
    ASSERT_TRUE(execute(record, {Action::ship, "", Shipment{"DHL", "1"}}, other_saga, at({})));
    ASSERT_TRUE(execute(record, {Action::deliver, "", {}}, other_saga, at({})));
    EXPECT_EQ(record.order.status, Status::delivered);
    EXPECT_EQ(record.order.version, 5);
    EXPECT_EQ(record.order.shipment, (Shipment{"DHL", "1"}));
    EXPECT_EQ(announced(record),
              (std::vector{PublicEvent::order_status_updated, PublicEvent::order_status_updated,
                           PublicEvent::order_delivered}));
    EXPECT_EQ(record.sagas.size(), 1U);
}

// The clock has stepped back.
TEST(Order, IsNeverOlderThanItWas) {
    OrderAggregate record = placed();
    apply_reservation_outcome(record, ReservationOutcome::reserved,
                              at(std::chrono::seconds(9), "inventory"));
    ASSERT_TRUE(
        execute(record, {Action::process, "", {}}, other_saga, at(std::chrono::seconds(5))));
    EXPECT_EQ(record.order.updated_at, start + std::chrono::seconds(9));
    EXPECT_EQ(record.events.back().at, start + std::chrono::seconds(5));
    ASSERT_TRUE(
        execute(record, {Action::cancel, "", {}}, other_saga, at(std::chrono::seconds(10))));
    EXPECT_EQ(record.order.updated_at, start + std::chrono::seconds(10));
}

TEST(Order, KeepsNothingOfARefusedChange) {
    OrderAggregate record = placed();
    const auto refused =
        execute(record, {Action::ship, "", Shipment{"DHL", "1"}}, other_saga, at({}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::illegal_transition);
    EXPECT_EQ(record.order.version, 1);
    EXPECT_FALSE(record.order.shipment);
    EXPECT_TRUE(record.events.empty());
}

TEST(Order, SaysWhatIsPossibleInsteadOfARefusedAction) {
    OrderAggregate record = placed();
    const auto refusal = [&record](Action action) {
        return execute(record, {.action = action}, other_saga, at({})).error().detail;
    };
    EXPECT_EQ(refusal(Action::ship),
              "the order is PENDING and cannot be shipped; it can be cancelled");
    record = confirmed();
    EXPECT_EQ(refusal(Action::deliver),
              "the order is CONFIRMED and cannot be delivered; it can be processed or cancelled");
    ASSERT_TRUE(execute(record, {.action = Action::cancel}, other_saga, at({})));
    EXPECT_EQ(refusal(Action::process),
              "the order is CANCELLED and cannot be processed; this is the end of its life");
}

OrderDetails other_details(const OrderAggregate& record) {
    OrderDetails wanted = details_of(record.order);
    wanted.shipping_address.city = "Leeds";
    wanted.metadata = "{}";
    return wanted;
}

TEST(Order, ChangesItsDetailsUntilItIsShipped) {
    OrderAggregate record = confirmed();
    ASSERT_TRUE(change_details(record, other_details(record), at(std::chrono::seconds(3), "ada")));
    EXPECT_EQ(record.order.version, 3);
    EXPECT_EQ(record.order.status, Status::confirmed);
    EXPECT_EQ(record.order.updated_at, start + std::chrono::seconds(3));
    EXPECT_EQ(details_of(record.order), other_details(record));
    EXPECT_EQ(announced(record), std::vector{PublicEvent::order_updated});
    EXPECT_EQ(std::get<OrderDetailsChanged>(record.events[0].event).changed,
              (std::vector<std::string_view>{"shippingAddress", "metadata"}));
    ASSERT_TRUE(change_details(record, details_of(record.order), at({})));
    EXPECT_EQ(record.events.size(), 1U) << "nothing has changed";
    ASSERT_TRUE(execute(record, {Action::process, "", {}}, other_saga, at({})));
    ASSERT_TRUE(execute(record, {Action::ship, "", {}}, other_saga, at({})));
    OrderDetails late = details_of(record.order);
    late.external_ref = "R";
    EXPECT_EQ(change_details(record, late, at({})).error().code, Errc::illegal_transition);
    EXPECT_EQ(record.order.version, 5);
}

TEST(Order, CorrectsItsShipmentUntilItIsDelivered) {
    OrderAggregate record = confirmed();
    ASSERT_TRUE(execute(record, {Action::process, "", {}}, other_saga, at({})));
    ASSERT_TRUE(execute(record, {Action::ship, "", Shipment{"DHL", "1"}}, other_saga, at({})));
    OrderDetails wanted = details_of(record.order);
    wanted.shipment = Shipment{"DHL", "2"};
    record.events.clear();
    ASSERT_TRUE(change_details(record, wanted, at({})));
    EXPECT_EQ(record.order.shipment, (Shipment{"DHL", "2"}));
    EXPECT_EQ(record.events[0].shipment, (Shipment{"DHL", "2"}));
    EXPECT_EQ(announced(record), std::vector{PublicEvent::order_updated});
    ASSERT_TRUE(execute(record, {Action::deliver, "", {}}, other_saga, at({})));
    wanted.shipment.reset();
    EXPECT_EQ(
        change_details(record, wanted, at({})).error().detail,
        "the order is DELIVERED and its shipment can no longer be changed; nothing of it can");
}

TEST(Order, StaysAsItIsWhenARepeatableActionIsRepeated) {
    OrderAggregate record = confirmed();
    const Command cancel{.action = Action::cancel, .is_repeatable = true};
    ASSERT_TRUE(execute(record, cancel, other_saga, at({})));
    const Order before = record.order;
    const std::size_t events = record.events.size();
    ASSERT_TRUE(execute(record, cancel, other_saga, at(std::chrono::seconds(5))));
    EXPECT_EQ(record.order.version, before.version);
    EXPECT_EQ(record.order.updated_at, before.updated_at);
    EXPECT_EQ(record.events.size(), events);
    EXPECT_EQ(execute(record, {.action = Action::cancel}, other_saga, at({})).error().code,
              Errc::illegal_transition);
    record = confirmed();
    ASSERT_TRUE(execute(record, {.action = Action::process}, other_saga, at({})));
    EXPECT_FALSE(
        execute(record, {.action = Action::deliver, .is_repeatable = true}, other_saga, at({})));
}

TEST(Order, CancelledWhilePendingWaitsForTheRelease) {
    OrderAggregate record = placed();
    ASSERT_TRUE(execute(record, {Action::cancel, "", {}}, other_saga, at({})));
    EXPECT_EQ(record.order.cancel_reason, "CUSTOMER_REQUEST");
    ASSERT_EQ(record.sagas.size(), 1U);
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensating);
    apply_reservation_outcome(record, ReservationOutcome::reserved, at({}));  // a late reply
    EXPECT_EQ(record.order.status, Status::cancelled);
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensating);
    apply_reservation_outcome(record, ReservationOutcome::released, at({}));
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensated);
    EXPECT_EQ(record.sagas[0].steps.back().name, "release");
    EXPECT_EQ(record.sagas[0].steps.back().status, StepStatus::done);
    EXPECT_EQ(announced(record), std::vector{PublicEvent::order_cancelled});
}

TEST(Order, CancelledAfterConfirmationHasASagaForIt) {
    OrderAggregate record = confirmed();
    ASSERT_TRUE(execute(record, {Action::cancel, "CHANGED_MIND", {}}, other_saga, at({})));
    ASSERT_EQ(record.sagas.size(), 2U);
    EXPECT_EQ(record.sagas[0].status, SagaStatus::completed);
    EXPECT_EQ(record.sagas[1].type, SagaType::cancellation);
    EXPECT_EQ(record.sagas[1].status, SagaStatus::running);
    apply_reservation_outcome(record, ReservationOutcome::released, at({}));
    EXPECT_EQ(record.sagas[0].status, SagaStatus::completed);
    EXPECT_EQ(record.sagas[1].status, SagaStatus::completed);
}

TEST(Order, TimesOutAndIsUndone) {
    OrderAggregate record = placed();
    on_timer(record, {}, at(std::chrono::minutes(14), "saga"));
    EXPECT_EQ(record.order.status, Status::pending);
    record.events.clear();
    on_timer(record, {}, at(std::chrono::minutes(15), "saga"));
    EXPECT_EQ(record.order.status, Status::cancelled);
    EXPECT_EQ(record.order.cancel_reason, "TIMED_OUT");
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensating);
    apply_reservation_outcome(record, ReservationOutcome::released, at(std::chrono::minutes(16)));
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensated);
    EXPECT_EQ(announced(record), std::vector{PublicEvent::order_cancelled});
}

TEST(Order, ExtendsItsDeadlineWhileTheRelayLags) {
    OrderAggregate record = placed();
    on_timer(record, std::chrono::seconds(20), at(std::chrono::minutes(15), "saga"));
    EXPECT_EQ(record.order.status, Status::pending);
    EXPECT_TRUE(record.events.empty());
    on_timer(record, {}, at(std::chrono::minutes(15) + std::chrono::seconds(1), "saga"));
    EXPECT_EQ(record.order.status, Status::cancelled);
}

// After an outage the relay has sent its whole backlog at once; inventory needs longer to handle
// it.
TEST(Order, ExtendsItsDeadlineByTheLagOfTheRelay) {
    OrderAggregate record = placed();
    for (const int minute : {15, 30, 45}) {
        const CommandContext now = at(std::chrono::minutes(minute), "saga");
        on_timer(record, std::chrono::minutes(minute), now);
        EXPECT_EQ(record.sagas[0].due_at(), now.now + std::chrono::seconds(30));
    }
    EXPECT_TRUE(record.events.empty());
    on_timer(record, {}, at(std::chrono::minutes(46), "saga"));
    on_timer(record, {}, at(std::chrono::minutes(59), "saga"));
    EXPECT_EQ(record.order.status, Status::pending);
    on_timer(record, {}, at(std::chrono::minutes(60), "saga"));
    EXPECT_EQ(record.order.status, Status::cancelled);
    EXPECT_EQ(record.order.cancel_reason, "TIMED_OUT");
}

// A lag of a moment does not extend the deadline.
TEST(Order, HasItsDeadlinePutOffForALagOfARetryOrMore) {
    for (const auto& [lag, extend_deadline] :
         {std::pair{SagaTimeouts{}.first_retry, true},
          std::pair{SagaTimeouts{}.first_retry - Duration(1), false}}) {
        OrderAggregate record = placed();
        const CommandContext now = at(std::chrono::minutes(15), "saga");
        on_timer(record, lag, now);
        EXPECT_EQ(record.sagas[0].deadline_at, extend_deadline ? now.now + lag : now.now);
        EXPECT_TRUE(record.events.empty());
    }
}

TEST(Saga, SendsNothingAgainWhileTheRelayIsTheReason) {
    OrderAggregate record = placed();
    on_timer(record, Duration(1), at(std::chrono::seconds(30), "saga"));
    EXPECT_TRUE(record.events.empty());
    on_timer(record, Duration(1), at(std::chrono::seconds(30) + Duration(1), "saga"));
    EXPECT_EQ(announced(record), std::vector{PublicEvent::order_created});
}

TEST(Saga, IsDueAtWhateverComesFirst) {
    const SagaTimeouts hasty{.reserve_deadline = std::chrono::seconds(10)};
    Saga saga = begin_fulfilment(other_saga, start, hasty);
    EXPECT_EQ(saga.due_at(), start + std::chrono::seconds(10));
    saga.deadline_at = start + std::chrono::seconds(31);
    EXPECT_EQ(saga.due_at(), start + std::chrono::seconds(30));
    saga.status = SagaStatus::blocked;
    EXPECT_FALSE(saga.due_at());
}

TEST(Saga, KeepsWhatBecameOfEachStep) {
    const Instant later = start + std::chrono::seconds(7);
    OrderAggregate confirmed = placed();
    apply_reservation_outcome(confirmed, ReservationOutcome::reserved,
                              at(std::chrono::seconds(7), "inventory"));
    EXPECT_EQ(confirmed.sagas[0].steps,
              (std::vector<SagaStep>{{"reserve", StepStatus::done, 1, start, later, {}},
                                     {"confirm", StepStatus::done, 1, later, later, {}}}));
    EXPECT_EQ(confirmed.sagas[0].finished_at, later);
    OrderAggregate refused = placed();
    apply_reservation_outcome(refused, ReservationOutcome::refused,
                              at(std::chrono::seconds(7), "inventory"));
    EXPECT_EQ(
        refused.sagas[0].steps,
        (std::vector<SagaStep>{{"reserve", StepStatus::failed, 1, start, later, "out of stock"},
                               {"confirm", StepStatus::skipped, 0, {}, later, {}}}));
    EXPECT_EQ(refused.sagas[0].finished_at, later);
    OrderAggregate cancelled = placed();
    ASSERT_TRUE(
        execute(cancelled, {Action::cancel, "", {}}, other_saga, at(std::chrono::seconds(7))));
    EXPECT_EQ(cancelled.sagas[0].steps,
              (std::vector<SagaStep>{
                  {"reserve", StepStatus::failed, 1, start, later, "the order was cancelled"},
                  {"confirm", StepStatus::skipped, 0, {}, later, {}},
                  {"release", StepStatus::running, 1, later, {}, {}}}));
    EXPECT_FALSE(cancelled.sagas[0].finished_at);
    on_timer(cancelled, {}, at(std::chrono::hours(25), "saga"));
    EXPECT_EQ(
        cancelled.sagas[0].steps.back(),
        (SagaStep{"release", StepStatus::failed, 1, later, {}, "no answer within the deadline"}));
    EXPECT_FALSE(cancelled.sagas[0].finished_at);
}

TEST(Saga, AsksAgainWithABackoffThatIsKept) {
    OrderAggregate record = placed();
    std::vector<std::int64_t> seconds;
    for (std::int64_t s = 0; s < 14 * 60; ++s) {
        on_timer(record, {}, at(std::chrono::seconds(s), "saga"));
        if (!record.events.empty()) {
            EXPECT_EQ(announced(record), std::vector{PublicEvent::order_created});
            EXPECT_EQ(record.events[0].version, 1);
            seconds.push_back(s);
            record.events.clear();
        }
    }
    EXPECT_EQ(seconds,
              (std::vector<std::int64_t>{30, 90, 210, 450, 750}));  // 30 s, doubling to 5 minutes
    EXPECT_EQ(record.order.version, 1);
    EXPECT_EQ(record.sagas[0].steps[0].attempts, 6);
}

// Found by trackops sim --seed 61. If a repeated event had the time of the original, each retry
// would look like a lag of the relay, and no order would ever time out.
TEST(Saga, DatesAResentEventAtEmission) {
    OrderAggregate record = placed();
    const CommandContext later = at(std::chrono::seconds(30), "saga");
    on_timer(record, {}, later);
    ASSERT_EQ(record.events.size(), 1U);
    EXPECT_EQ(record.events[0].at, later.now);
    EXPECT_EQ(record.order.created_at, start);
}

TEST(Saga, AsksForTheReleaseAgainAndIsBlockedAtLast) {
    OrderAggregate record = placed();
    ASSERT_TRUE(execute(record, {Action::cancel, "", {}}, other_saga, at({})));
    record.events.clear();
    on_timer(record, {}, at(std::chrono::seconds(30), "saga"));
    ASSERT_EQ(announced(record), std::vector{PublicEvent::order_cancelled});
    EXPECT_EQ(std::get<ReleaseRetried>(record.events[0].event).reason, "CUSTOMER_REQUEST");
    EXPECT_EQ(record.events[0].version, 2);
    on_timer(record, {}, at(std::chrono::hours(24), "saga"));
    EXPECT_EQ(record.sagas[0].status, SagaStatus::blocked);
    EXPECT_FALSE(record.sagas[0].due_at());
    // A late reply ends the blocked saga.
    apply_reservation_outcome(record, ReservationOutcome::released, at(std::chrono::hours(25)));
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensated);
}

TEST(Saga, ResendsACancellationUnchanged) {
    OrderAggregate pending = placed();
    ASSERT_TRUE(execute(pending, {Action::cancel, "", {}}, other_saga, at({})));
    OrderAggregate late = placed();
    on_timer(late, {}, at(std::chrono::minutes(15), "saga"));
    OrderAggregate settled = placed();
    apply_reservation_outcome(settled, ReservationOutcome::reserved,
                              at(std::chrono::seconds(9), "inventory"));
    settled.events.clear();
    // The clock stepped back, so updated_at is later than the cancellation.
    ASSERT_TRUE(
        execute(settled, {Action::cancel, "", {}}, other_saga, at(std::chrono::seconds(5), "ada")));
    for (OrderAggregate* record : {&pending, &late, &settled}) {
        on_timer(*record, {}, at(std::chrono::hours(1), "saga"));
        ASSERT_EQ(announced(*record),
                  (std::vector{PublicEvent::order_cancelled, PublicEvent::order_cancelled}));
        const RecordedEvent& first = record->events[0];
        const RecordedEvent& again = record->events[1];
        const auto& repeated = std::get<ReleaseRetried>(again.event);
        EXPECT_EQ(repeated.cancelled_by, first.actor);
        EXPECT_EQ(repeated.cancelled_at, first.at);
        EXPECT_EQ(repeated.reason, std::get<OrderCancelled>(first.event).reason);
        EXPECT_EQ(again.version, first.version);
    }
}

TEST(Saga, IsBlockedByAShipmentWithoutReservation) {
    OrderAggregate record = confirmed();
    apply_reservation_outcome(record, ReservationOutcome::not_reserved, at({}));
    EXPECT_EQ(record.sagas[0].status, SagaStatus::blocked);
    EXPECT_TRUE(record.events.empty());
}

}  // namespace
}  // namespace trackops::order::domain
