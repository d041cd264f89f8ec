#include "order/domain/events.hpp"

#include <gtest/gtest.h>

namespace trackops::order::domain {
namespace {

const Instant start{1'700'000'000'000'000};

Order after(const std::vector<Event>& events) {
    Order order;
    Duration time{};
    for (const Event& event : events) apply(order, event, start + (time += Duration(1)));
    return order;
}

TEST(DomainEvents, AloneMakeAnOrder) {
    const Order shipped =
        after({OrderPlaced{}, OrderConfirmed{}, ProcessingStarted{}, OrderShipped{{"DHL", "1"}}});
    EXPECT_EQ(shipped.status, Status::shipped);
    EXPECT_EQ(shipped.version, 4);
    EXPECT_EQ(shipped.shipment, (Shipment{"DHL", "1"}));
    EXPECT_EQ(shipped.created_at, start + Duration(1));
    EXPECT_EQ(shipped.updated_at, start + Duration(4));
    const Order cancelled = after({OrderPlaced{}, OrderCancelled{"WHY"}});
    EXPECT_EQ(cancelled.status, Status::cancelled);
    EXPECT_EQ(cancelled.cancel_reason, "WHY");
}

// An If-Match holds whatever the sagas do.
TEST(DomainEvents, OfARetryChangeNothingThatGetShows) {
    const Order placed = after({OrderPlaced{}});
    Order retried = placed;
    apply(retried, ReservationRetried{}, start + Duration(9));
    EXPECT_EQ(retried.version, placed.version);
    EXPECT_EQ(retried.status, placed.status);
    EXPECT_EQ(retried.updated_at, placed.updated_at);
}

TEST(DomainEvents, HaveARuleOfTheirName) {
    EXPECT_EQ(rule_of(OrderCancelled{}).name, "ORDER_CANCELLED");
    EXPECT_EQ(rule_of(ReleaseRetried{}).name, "RELEASE_RETRIED");
    EXPECT_EQ(rule_of(ReleaseRetried{}).heard_as, PublicEvent::order_cancelled);
    for (const EventRule& rule : event_rules) EXPECT_EQ(event_rule_named(rule.name), &rule);
    EXPECT_EQ(event_rule_named("ORDER_EATEN"), nullptr);
}

}  // namespace
}  // namespace trackops::order::domain
