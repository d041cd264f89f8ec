#include "inventory/adapters/order_events_handler.hpp"

#include <gtest/gtest.h>

#include "events/encode.hpp"
#include "events/events.hpp"
#include "inventory/adapters/inventory_stores_fixture.hpp"
#include "testing/query_column.hpp"

namespace trackops::inventory::adapters {
namespace {

class OrderEventsHandler : public ::testing::Test {
protected:
    bus::Message message(const events::Event& event) {
        return {.topic = std::string(events::type_of(event)),
                .value = events::encode(event),
                .headers = {{"ce_id", at_hand.ids.next().text()}, {"ce_correlationid", "mine"}}};
    }
    bus::Message created(Uuid order, std::int64_t quantity) {
        return message(events::OrderCreated{.order_id = order,
                                            .version = 1,
                                            .customer_id = "C 1",
                                            .currency = "GBP",
                                            .total_amount_minor = quantity,
                                            .items = {{"A", quantity, 1}},
                                            .created_at = at_hand.clock.now()});
    }
    bus::Message moved(Uuid order, std::string to) {
        return message(events::OrderStatusUpdated{.order_id = order,
                                                  .version = 2,
                                                  .previous_status = "PROCESSING",
                                                  .new_status = std::move(to),
                                                  .occurred_at = at_hand.clock.now()});
    }

    InventoryStoresFixture at_hand{"sqlite"};
    int batches_committed = 0;
    bus::Handler handler =
        make_order_events_handler({*at_hand.reservations, at_hand.clock, at_hand.ids,
                                   at_hand.metrics, [this] { ++batches_committed; }});
};

TEST_F(OrderEventsHandler, GivesEachMessageItsOwnAnswer) {
    at_hand.create_item("A", 5);
    const Uuid order = at_hand.ids.next();
    bus::Message nameless = created(at_hand.ids.next(), 1);
    nameless.headers.clear();
    bus::Message broken = created(at_hand.ids.next(), 1);
    broken.value = "{";
    const std::vector<bus::Message> batch = {created(order, 2),
                                             nameless,
                                             broken,
                                             moved(order, "PROCESSING"),
                                             moved(at_hand.ids.next(), "SHIPPED"),
                                             moved(order, "SHIPPED")};
    const auto answers = handler(batch);
    ASSERT_EQ(answers.size(), batch.size());
    const std::vector<std::size_t> expected = {0, 1, 1, 0, 1, 0};  // 1 is a dead letter
    for (std::size_t i = 0; i < batch.size(); ++i) EXPECT_EQ(answers[i].index(), expected[i]) << i;
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{3, 0}));
    EXPECT_EQ(batches_committed, 1);
    EXPECT_EQ(testing::query_column(*at_hand.database,
                                    "SELECT causation_id FROM outbox_events ORDER BY position")[0],
              batch[0].header("ce_id"));
}

// A producer may be newer, or another than ours: what inventory does not use is no reason for a
// dead letter.
TEST_F(OrderEventsHandler, HandlesMessagesOfANewerProducer) {
    at_hand.create_item("A", 5);
    bus::Message named = created(at_hand.ids.next(), 1);
    named.headers = {{"ce_id", "checkout/4711"}, {"ce_source", "/shop"}};
    bus::Message unknown = created(at_hand.ids.next(), 1);
    unknown.value = R"({"orderId":")" + at_hand.ids.next().text() +
                    R"(","version":9,"customerId":"C-1","currency":"XZZ","totalAmount":"1.00",)"
                    R"("items":[{"sku":"A","quantity":2,"tax":1}],"order":{"loyalty":true}})";
    bus::Message large = created(at_hand.ids.next(), 1);
    events::OrderCreated order{.order_id = at_hand.ids.next()};
    for (int i = 0; i < 2'500; ++i) order.items.push_back({"N" + std::to_string(i), 1, 1});
    large.value = events::encode(order);
    const std::vector<bus::Message> batch = {named, named, unknown, large};
    for (const bus::Disposition& disposition : handler(batch))
        EXPECT_TRUE(std::holds_alternative<bus::Done>(disposition)) << disposition.index();
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{5, 3}));
    EXPECT_EQ(testing::query_column(
                  *at_hand.database,
                  "SELECT type || ' ' || causation_id FROM outbox_events ORDER BY position"),
              (std::vector<std::string>{
                  "INVENTORY_RESERVED checkout/4711",
                  "INVENTORY_RESERVED " + std::string(unknown.header("ce_id")),
                  "INVENTORY_RESERVATION_FAILED " + std::string(large.header("ce_id"))}));
}

TEST_F(OrderEventsHandler, AsksForAMessageAgainWhileTheDatabaseIsAway) {
    at_hand.create_item("A", 5);
    struct Away final : app::ReservationStore {
        std::vector<Result<app::MessageResult>> handle(
            std::span<const app::IncomingMessage> messages, const Decide&, Instant) override {
            return std::vector<Result<app::MessageResult>>(messages.size(),
                                                           fail(Errc::unavailable, "away"));
        }
    } away;
    const auto waiting =
        make_order_events_handler({away, at_hand.clock, at_hand.ids, at_hand.metrics, [] {}});
    const std::vector<bus::Message> batch = {created(at_hand.ids.next(), 1)};
    EXPECT_TRUE(std::holds_alternative<bus::RetryLater>(waiting(batch)[0]));
    EXPECT_TRUE(std::holds_alternative<bus::Done>(handler(batch)[0]));
}

// From each message to its reply, whatever the reply.
TEST_F(OrderEventsHandler, SaysWhereEachReplyComesFrom) {
    at_hand.create_item("A", 5);
    const Uuid held = at_hand.ids.next();
    std::vector<bus::Message> batch = {
        created(held, 2), created(at_hand.ids.next(), 9), created(held, 2),
        message(events::OrderCancelled{held, 2, "CUSTOMER_REQUEST", "anonymous", {}}),
        moved(at_hand.ids.next(), "SHIPPED")};
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const std::string number = std::to_string(i);
        batch[i].headers = {{"ce_id", at_hand.ids.next().text()},
                            {"ce_correlationid", "correlation " + number},
                            {"ce_causationid", "of no concern"},
                            {"traceparent", "parent " + number},
                            {"tracestate", "state " + number}};
    }
    handler(batch);
    const std::vector<std::string> types = {"INVENTORY_RESERVED", "INVENTORY_RESERVATION_FAILED",
                                            "INVENTORY_RESERVED", "INVENTORY_RELEASED",
                                            "INVENTORY_RESERVATION_FAILED"};
    std::vector<std::string> expected;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const std::string number = std::to_string(i);
        expected.push_back(types[i] + " correlation " + number + ' ' +
                           std::string(batch[i].header("ce_id")) + " parent " + number + " state " +
                           number);
    }
    EXPECT_EQ(testing::query_column(
                  *at_hand.database,
                  "SELECT type || ' ' || correlation_id || ' ' || causation_id || ' ' || "
                  "traceparent || ' ' || tracestate FROM outbox_events ORDER BY position"),
              expected);
}

}  // namespace
}  // namespace trackops::inventory::adapters
