#include "order/domain/record.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace trackops::order::domain {
namespace {

const Instant start{1'700'000'000'000'000};

Circumstances at(Duration after, std::string actor = "anonymous") {
    return {start + after, std::move(actor), {}, {}};
}

OrderRecord placed() {
    Draft draft;
    draft.currency = "GBP";
    draft.items = {{"a", {}, 2, 255}};
    OrderRecord record =
        *place(draft, OrderId(uuid_v7(start, 1, 1)), SagaId(uuid_v7(start, 2, 2)), at({}));
    record.changes.clear();
    record.notices.clear();
    return record;
}

const SagaId other_saga(uuid_v7(start, 3, 3));

std::vector<Announcement> announced(const OrderRecord& record) {
    std::vector<Announcement> list;
    for (const Notice& notice : record.notices) list.push_back(notice.announcement);
    return list;
}

OrderRecord confirmed() {
    OrderRecord record = placed();
    settle(record, StockAnswer::reserved, at({}, "inventory"));
    record.changes.clear();
    record.notices.clear();
    return record;
}

// F: ORDER_FULFILMENT, C: ORDER_CANCELLATION. "." stays as it is. After a slash: what the order
// must do.
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
            const SagaRule& rule = rule_for(type, from, static_cast<Signal>(i));
            const std::string to(rule.to == from ? "." : name_of(rule.to));
            EXPECT_EQ(to + std::string(asks[static_cast<std::size_t>(rule.ask)]), word)
                << name_of(type) << " " << name_of(from) << " " << i;
            ++pairs;
        }
    }
    EXPECT_EQ(pairs, 70);
}

TEST(Order, IsPlacedWithItsSagaAndOneEvent) {
    Draft draft;
    draft.items = {{"a", {}, 2, 255}};
    const auto record = place(draft, OrderId(uuid_v7(start, 1, 1)), other_saga, at({}));
    ASSERT_TRUE(record);
    EXPECT_EQ(record->order.status, Status::pending);
    EXPECT_EQ(record->order.total_amount_minor(), 510);
    EXPECT_EQ(announced(*record), std::vector{Announcement::created});
    ASSERT_EQ(record->sagas.size(), 1U);
    EXPECT_EQ(record->sagas[0].due_at(), start + Patience{}.first_retry);
}

TEST(Order, IsConfirmedByTheReservationOnce) {
    OrderRecord record = placed();
    settle(record, StockAnswer::reserved, at(std::chrono::seconds(1), "inventory"));
    settle(record, StockAnswer::reserved, at(std::chrono::seconds(2), "inventory"));
    EXPECT_EQ(record.order.status, Status::confirmed);
    EXPECT_EQ(record.order.version, 2);
    EXPECT_EQ(announced(record), std::vector{Announcement::status_updated});
    EXPECT_EQ(record.sagas[0].status, SagaStatus::completed);
    EXPECT_EQ(record.sagas[0].steps[0].status, StepStatus::done);
    EXPECT_EQ(record.sagas[0].steps[1].status, StepStatus::done);
    EXPECT_FALSE(record.sagas[0].due_at());
}

TEST(Order, IsCancelledWhenStockIsShort) {
    OrderRecord record = placed();
    settle(record, StockAnswer::refused, at({}, "inventory"));
    EXPECT_EQ(record.order.status, Status::cancelled);
    EXPECT_EQ(record.order.cancel_reason, "OUT_OF_STOCK");
    EXPECT_EQ(record.changes.at(0).actor, "inventory");
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensated);
    settle(record, StockAnswer::released, at({}, "inventory"));  // the answer to ORDER_CANCELLED
    EXPECT_EQ(announced(record), std::vector{Announcement::cancelled});
}

TEST(Order, GoesThroughItsLife) {
    OrderRecord record = confirmed();
    ASSERT_TRUE(apply(record, {Action::process, "", {}}, other_saga, at({})));
    ASSERT_TRUE(apply(record, {Action::ship, "", Shipment{"DHL", "1"}}, other_saga, at({})));
    ASSERT_TRUE(apply(record, {Action::deliver, "", {}}, other_saga, at({})));
    EXPECT_EQ(record.order.status, Status::delivered);
    EXPECT_EQ(record.order.version, 5);
    EXPECT_EQ(record.order.shipment, (Shipment{"DHL", "1"}));
    EXPECT_EQ(announced(record),
              (std::vector{Announcement::status_updated, Announcement::status_updated,
                           Announcement::delivered}));
    EXPECT_EQ(record.sagas.size(), 1U);
}

// A clock that stepped back.
TEST(Order, IsNeverOlderThanItWas) {
    OrderRecord record = placed();
    settle(record, StockAnswer::reserved, at(std::chrono::seconds(9), "inventory"));
    ASSERT_TRUE(apply(record, {Action::process, "", {}}, other_saga, at(std::chrono::seconds(5))));
    EXPECT_EQ(record.order.updated_at, start + std::chrono::seconds(9));
    EXPECT_EQ(record.changes.back().at, start + std::chrono::seconds(5));
    ASSERT_TRUE(apply(record, {Action::cancel, "", {}}, other_saga, at(std::chrono::seconds(10))));
    EXPECT_EQ(record.order.updated_at, start + std::chrono::seconds(10));
}

TEST(Order, KeepsNothingOfARefusedChange) {
    OrderRecord record = placed();
    const auto refused =
        apply(record, {Action::ship, "", Shipment{"DHL", "1"}}, other_saga, at({}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::illegal_transition);
    EXPECT_EQ(record.order.version, 1);
    EXPECT_FALSE(record.order.shipment);
    EXPECT_TRUE(record.notices.empty() && record.changes.empty());
}

TEST(Order, CancelledWhilePendingWaitsForTheRelease) {
    OrderRecord record = placed();
    ASSERT_TRUE(apply(record, {Action::cancel, "", {}}, other_saga, at({})));
    EXPECT_EQ(record.order.cancel_reason, "CUSTOMER_REQUEST");
    ASSERT_EQ(record.sagas.size(), 1U);
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensating);
    settle(record, StockAnswer::reserved, at({}));  // late: it was under way
    EXPECT_EQ(record.order.status, Status::cancelled);
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensating);
    settle(record, StockAnswer::released, at({}));
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensated);
    EXPECT_EQ(record.sagas[0].steps.back().name, "release");
    EXPECT_EQ(record.sagas[0].steps.back().status, StepStatus::done);
    EXPECT_EQ(announced(record), std::vector{Announcement::cancelled});
}

TEST(Order, CancelledAfterConfirmationHasASagaForIt) {
    OrderRecord record = confirmed();
    ASSERT_TRUE(apply(record, {Action::cancel, "CHANGED_MIND", {}}, other_saga, at({})));
    ASSERT_EQ(record.sagas.size(), 2U);
    EXPECT_EQ(record.sagas[0].status, SagaStatus::completed);
    EXPECT_EQ(record.sagas[1].type, SagaType::cancellation);
    EXPECT_EQ(record.sagas[1].status, SagaStatus::running);
    settle(record, StockAnswer::released, at({}));
    EXPECT_EQ(record.sagas[0].status, SagaStatus::completed);
    EXPECT_EQ(record.sagas[1].status, SagaStatus::completed);
}

TEST(Order, TimesOutAndIsUndone) {
    OrderRecord record = placed();
    look_at_clock(record, {}, at(std::chrono::minutes(14), "saga"));
    EXPECT_EQ(record.order.status, Status::pending);
    record.notices.clear();
    look_at_clock(record, {}, at(std::chrono::minutes(15), "saga"));
    EXPECT_EQ(record.order.status, Status::cancelled);
    EXPECT_EQ(record.order.cancel_reason, "TIMED_OUT");
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensating);
    settle(record, StockAnswer::released, at(std::chrono::minutes(16)));
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensated);
    EXPECT_EQ(announced(record), std::vector{Announcement::cancelled});
}

TEST(Order, IsPatientWhileTheRelayLags) {
    OrderRecord record = placed();
    look_at_clock(record, std::chrono::seconds(20), at(std::chrono::minutes(15), "saga"));
    EXPECT_EQ(record.order.status, Status::pending);
    EXPECT_TRUE(record.notices.empty());
    look_at_clock(record, {}, at(std::chrono::minutes(15) + std::chrono::seconds(1), "saga"));
    EXPECT_EQ(record.order.status, Status::cancelled);
}

// The relay is back and has sent all of it in a moment; inventory needs longer.
TEST(Order, IsPatientWithWhoeverAnswersAfterTheRelayHasLagged) {
    OrderRecord record = placed();
    for (const int minute : {15, 30, 45}) {
        const Circumstances now = at(std::chrono::minutes(minute), "saga");
        look_at_clock(record, std::chrono::minutes(minute), now);
        EXPECT_EQ(record.sagas[0].due_at(), now.now + std::chrono::seconds(30));
    }
    EXPECT_TRUE(record.notices.empty());
    look_at_clock(record, {}, at(std::chrono::minutes(46), "saga"));
    look_at_clock(record, {}, at(std::chrono::minutes(59), "saga"));
    EXPECT_EQ(record.order.status, Status::pending);
    look_at_clock(record, {}, at(std::chrono::minutes(60), "saga"));
    EXPECT_EQ(record.order.status, Status::cancelled);
    EXPECT_EQ(record.order.cancel_reason, "TIMED_OUT");
}

// A moment's lag is not worth another deadline.
TEST(Order, HasItsDeadlinePutOffForALagOfARetryOrMore) {
    for (const auto& [lag, put_off] : {std::pair{Patience{}.first_retry, true},
                                       std::pair{Patience{}.first_retry - Duration(1), false}}) {
        OrderRecord record = placed();
        const Circumstances now = at(std::chrono::minutes(15), "saga");
        look_at_clock(record, lag, now);
        EXPECT_EQ(record.sagas[0].deadline_at, put_off ? now.now + lag : now.now);
        EXPECT_TRUE(record.notices.empty());
    }
}

TEST(Saga, SendsNothingAgainWhileTheRelayIsTheReason) {
    OrderRecord record = placed();
    look_at_clock(record, Duration(1), at(std::chrono::seconds(30), "saga"));
    EXPECT_TRUE(record.notices.empty());
    look_at_clock(record, Duration(1), at(std::chrono::seconds(30) + Duration(1), "saga"));
    EXPECT_EQ(announced(record), std::vector{Announcement::created});
}

TEST(Saga, IsDueAtWhateverComesFirst) {
    const Patience hasty{.reserve_deadline = std::chrono::seconds(10)};
    Saga saga = begin_fulfilment(other_saga, start, hasty);
    EXPECT_EQ(saga.due_at(), start + std::chrono::seconds(10));
    saga.deadline_at = start + std::chrono::seconds(31);
    EXPECT_EQ(saga.due_at(), start + std::chrono::seconds(30));
    saga.status = SagaStatus::blocked;
    EXPECT_FALSE(saga.due_at());
}

TEST(Saga, KeepsWhatBecameOfEachStep) {
    const Instant later = start + std::chrono::seconds(7);
    OrderRecord confirmed = placed();
    settle(confirmed, StockAnswer::reserved, at(std::chrono::seconds(7), "inventory"));
    EXPECT_EQ(confirmed.sagas[0].steps,
              (std::vector<SagaStep>{{"reserve", StepStatus::done, 1, start, later, {}},
                                     {"confirm", StepStatus::done, 1, later, later, {}}}));
    EXPECT_EQ(confirmed.sagas[0].finished_at, later);
    OrderRecord refused = placed();
    settle(refused, StockAnswer::refused, at(std::chrono::seconds(7), "inventory"));
    EXPECT_EQ(
        refused.sagas[0].steps,
        (std::vector<SagaStep>{{"reserve", StepStatus::failed, 1, start, later, "out of stock"},
                               {"confirm", StepStatus::skipped, 0, {}, later, {}}}));
    EXPECT_EQ(refused.sagas[0].finished_at, later);
    OrderRecord cancelled = placed();
    ASSERT_TRUE(
        apply(cancelled, {Action::cancel, "", {}}, other_saga, at(std::chrono::seconds(7))));
    EXPECT_EQ(cancelled.sagas[0].steps,
              (std::vector<SagaStep>{
                  {"reserve", StepStatus::failed, 1, start, later, "the order was cancelled"},
                  {"confirm", StepStatus::skipped, 0, {}, later, {}},
                  {"release", StepStatus::running, 1, later, {}, {}}}));
    EXPECT_FALSE(cancelled.sagas[0].finished_at);
    look_at_clock(cancelled, {}, at(std::chrono::hours(25), "saga"));
    EXPECT_EQ(
        cancelled.sagas[0].steps.back(),
        (SagaStep{"release", StepStatus::failed, 1, later, {}, "no answer within the deadline"}));
    EXPECT_FALSE(cancelled.sagas[0].finished_at);
}

TEST(Saga, AsksAgainWithABackoffThatIsKept) {
    OrderRecord record = placed();
    std::vector<std::int64_t> seconds;
    for (std::int64_t s = 0; s < 14 * 60; ++s) {
        look_at_clock(record, {}, at(std::chrono::seconds(s), "saga"));
        if (!record.notices.empty()) {
            EXPECT_EQ(announced(record), std::vector{Announcement::created});
            EXPECT_EQ(record.notices[0].change.version, 1);
            seconds.push_back(s);
            record.notices.clear();
        }
    }
    EXPECT_EQ(seconds,
              (std::vector<std::int64_t>{30, 90, 210, 450, 750}));  // 30 s, doubling to 5 minutes
    EXPECT_TRUE(record.changes.empty());
    EXPECT_EQ(record.sagas[0].steps[0].attempts, 6);
}

// Found by trackops sim --seed 61: an event that is sent again is not one that has waited since the
// order was placed, or each retry looks like a relay that lags, and no order ever times out.
TEST(Saga, SaysWhatItSaysAgainAsOfNow) {
    OrderRecord record = placed();
    const Circumstances later = at(std::chrono::seconds(30), "saga");
    look_at_clock(record, {}, later);
    ASSERT_EQ(record.notices.size(), 1U);
    EXPECT_EQ(record.notices[0].said_at, later.now);
    EXPECT_EQ(record.notices[0].change.at, start);
}

TEST(Saga, AsksForTheReleaseAgainAndIsBlockedAtLast) {
    OrderRecord record = placed();
    ASSERT_TRUE(apply(record, {Action::cancel, "", {}}, other_saga, at({})));
    record.notices.clear();
    look_at_clock(record, {}, at(std::chrono::seconds(30), "saga"));
    ASSERT_EQ(announced(record), std::vector{Announcement::cancelled});
    EXPECT_EQ(record.notices[0].change.reason, "CUSTOMER_REQUEST");
    EXPECT_EQ(record.notices[0].change.version, 2);
    look_at_clock(record, {}, at(std::chrono::hours(24), "saga"));
    EXPECT_EQ(record.sagas[0].status, SagaStatus::blocked);
    EXPECT_FALSE(record.sagas[0].due_at());
    settle(record, StockAnswer::released, at(std::chrono::hours(25)));  // better late
    EXPECT_EQ(record.sagas[0].status, SagaStatus::compensated);
}

TEST(Saga, SaysACancellationAgainAsItWas) {
    OrderRecord pending = placed();
    ASSERT_TRUE(apply(pending, {Action::cancel, "", {}}, other_saga, at({})));
    OrderRecord late = placed();
    look_at_clock(late, {}, at(std::chrono::minutes(15), "saga"));
    OrderRecord settled = placed();
    settle(settled, StockAnswer::reserved, at(std::chrono::seconds(9), "inventory"));
    settled.notices.clear();
    // A clock that stepped back: the order is newer than its cancellation.
    ASSERT_TRUE(
        apply(settled, {Action::cancel, "", {}}, other_saga, at(std::chrono::seconds(5), "ada")));
    for (OrderRecord* record : {&pending, &late, &settled}) {
        look_at_clock(*record, {}, at(std::chrono::hours(1), "saga"));
        ASSERT_EQ(announced(*record),
                  (std::vector{Announcement::cancelled, Announcement::cancelled}));
        const Change& first = record->notices[0].change;
        const Change& again = record->notices[1].change;
        EXPECT_EQ(again.actor, first.actor);
        EXPECT_EQ(again.at, first.at);
        EXPECT_EQ(again.reason, first.reason);
        EXPECT_EQ(again.version, first.version);
    }
}

TEST(Saga, IsBlockedByAShipmentWithoutReservation) {
    OrderRecord record = confirmed();
    settle(record, StockAnswer::not_reserved, at({}));
    EXPECT_EQ(record.sagas[0].status, SagaStatus::blocked);
    EXPECT_TRUE(record.notices.empty());
}

}  // namespace
}  // namespace trackops::order::domain
