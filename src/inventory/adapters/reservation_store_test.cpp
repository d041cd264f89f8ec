// The contract of the reservation store, tested on both databases.
#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inventory/adapters/inventory_stores_fixture.hpp"
#include "testing/query_column.hpp"

namespace trackops::inventory::adapters {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReservationStoreContract : public ::testing::TestWithParam<std::string> {
protected:
    domain::OrderId new_order() { return domain::OrderId(at_hand.ids.next()); }
    app::IncomingMessage create(domain::OrderId order, std::vector<domain::Line> lines) {
        return {at_hand.ids.next(),
                {order, domain::ReservationCommand::create, std::move(lines)},
                {.correlation_id = "c"}};
    }
    app::IncomingMessage cancel(domain::OrderId order) {
        return {at_hand.ids.next(),
                {order, domain::ReservationCommand::cancel, {}, "CUSTOMER_REQUEST"}};
    }
    app::IncomingMessage ship_it(domain::OrderId order) {
        return {at_hand.ids.next(), {order, domain::ReservationCommand::ship}};
    }

    // Handles the messages and returns the number of dead letters.
    std::size_t handle(const std::vector<app::IncomingMessage>& messages) {
        std::size_t dead = 0;
        for (const auto& answer : at_hand.handle(messages)) {
            EXPECT_TRUE(answer) << answer.error().detail;
            if (answer && answer->dead_letter) ++dead;
        }
        return dead;
    }
    std::vector<std::string> replies() {
        return testing::query_column(*at_hand.database,
                                     "SELECT type FROM outbox_events ORDER BY position");
    }
    std::string status_of(domain::OrderId order) {
        const auto found = testing::query_column(
            *at_hand.database,
            "SELECT status FROM inventory_reservations WHERE order_id = '" + order.text() + "'");
        return found.empty() ? "" : found.front();
    }

    InventoryStoresFixture at_hand{GetParam()};
};

// Runs on PostgreSQL only: SQLite has one writer.
class ReservationsOfTwoWriters : public ReservationStoreContract {};

TEST_P(ReservationStoreContract, ReservesStockAndReplies) {
    at_hand.create_item("A/1 x", 5);
    const domain::OrderId order = new_order();
    const auto message = create(order, {{"A/1 x", 2}, {"A/1 x", 1}});
    handle({message});
    EXPECT_EQ(at_hand.stock("A/1 x"), (domain::StockLevel{5, 3}));
    const auto held = at_hand.reader->reservations({.order_id = order}, {}, 10);
    ASSERT_EQ(held.size(), 1);
    EXPECT_EQ(held[0].state, domain::ReservationState::reserved);
    EXPECT_THAT(held[0].lines, ElementsAre(domain::Line{"A/1 x", 3}));
    EXPECT_THAT(replies(), ElementsAre("INVENTORY_RESERVED"));
    EXPECT_EQ(at_hand.count("SELECT sequence FROM outbox_events"), 1);
    EXPECT_EQ(testing::query_column(*at_hand.database, "SELECT correlation_id FROM outbox_events")
                  .front(),
              "c");
}

TEST_P(ReservationStoreContract, HandlesADuplicateMessageOnce) {
    at_hand.create_item("A", 5);
    const auto message = create(new_order(), {{"A", 2}});
    handle({message, message});
    handle({message});
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{5, 2}));
    EXPECT_THAT(replies(), ElementsAre("INVENTORY_RESERVED"));
}

TEST_P(ReservationStoreContract, AnswersARepeatedRequestAgainWithoutEffect) {
    at_hand.create_item("A", 5);
    const domain::OrderId order = new_order();
    handle({create(order, {{"A", 2}}), create(order, {{"A", 2}})});
    handle({create(order, {{"A", 2}})});
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{5, 2}));
    EXPECT_EQ(at_hand.count("SELECT count(*) FROM outbox_events"), 3);
    EXPECT_EQ(at_hand.count("SELECT count(DISTINCT sequence) FROM outbox_events"), 3);
    EXPECT_EQ(at_hand.count("SELECT max(sequence) FROM outbox_events"), 3);
    EXPECT_EQ(at_hand.count("SELECT count(DISTINCT event_id) FROM outbox_events"), 3);
}

TEST_P(ReservationStoreContract, GivesTheLastUnitToTheFirstOfABatch) {
    at_hand.create_item("A", 1);
    const domain::OrderId first = new_order();
    const domain::OrderId second = new_order();
    handle({create(second, {{"A", 1}}), create(first, {{"A", 1}})});
    EXPECT_EQ(status_of(second), "RESERVED");
    EXPECT_EQ(status_of(first), "REFUSED");
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{1, 1}));
    EXPECT_THAT(at_hand.reader->reservations({.order_id = first}, {}, 10), IsEmpty());
}

TEST_P(ReservationStoreContract, HoldsAllLinesOrNone) {
    at_hand.create_item("A", 5);
    at_hand.create_item("B", 1);
    const domain::OrderId order = new_order();
    handle({create(order, {{"A", 2}, {"B", 2}, {"C", 1}})});
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{5, 0}));
    EXPECT_EQ(at_hand.stock("B"), (domain::StockLevel{1, 0}));
    const std::string refusal =
        testing::query_column(*at_hand.database, "SELECT payload FROM outbox_events").front();
    for (const auto* word :
         {R"("reason":"UNKNOWN_SKU","items")", R"("available":1,"reason":"INSUFFICIENT_STOCK")",
          R"("requested":1,"available":0,"reason":"UNKNOWN_SKU")"}) {
        EXPECT_THAT(refusal, ::testing::HasSubstr(word));
    }
    handle({create(order, {{"A", 2}})});
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{5, 0}));
    EXPECT_THAT(testing::query_column(*at_hand.database, "SELECT payload FROM outbox_events"),
                ElementsAre(refusal, refusal));
}

TEST_P(ReservationStoreContract, HoldsNothingForAnOrderThatWasCancelledFirst) {
    at_hand.create_item("A", 5);
    const domain::OrderId apart = new_order();
    const domain::OrderId together = new_order();
    handle({cancel(apart)});
    handle({create(apart, {{"A", 2}})});
    handle({cancel(together), create(together, {{"A", 2}})});
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{5, 0}));
    EXPECT_EQ(status_of(apart), "CANCELLED_FIRST");
    EXPECT_EQ(status_of(together), "CANCELLED_FIRST");
    EXPECT_THAT(replies(), ElementsAre("INVENTORY_RELEASED", "INVENTORY_RESERVATION_FAILED",
                                       "INVENTORY_RELEASED", "INVENTORY_RESERVATION_FAILED"));
}

TEST_P(ReservationStoreContract, ReleasesTheStockOfACancelledOrder) {
    at_hand.create_item("A", 5);
    const domain::OrderId apart = new_order();
    const domain::OrderId together = new_order();
    handle({create(apart, {{"A", 2}})});
    handle({cancel(apart)});
    handle({create(together, {{"A", 3}}), cancel(together), cancel(together)});
    handle({create(apart, {{"A", 2}}), cancel(apart)});
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{5, 0}));
    EXPECT_EQ(status_of(apart), "RELEASED");
    EXPECT_EQ(status_of(together), "RELEASED");
    EXPECT_EQ(at_hand.count("SELECT count(*) FROM outbox_events WHERE type = 'INVENTORY_RELEASED'"),
              5);
}

TEST_P(ReservationStoreContract, ShipsOnceAndWritesTheLedger) {
    at_hand.create_item("A", 5);
    at_hand.create_item("B", 2);
    const domain::OrderId order = new_order();
    handle({create(order, {{"A", 2}, {"B", 2}})});
    EXPECT_EQ(handle({ship_it(order), ship_it(order)}), 0);
    EXPECT_EQ(handle({ship_it(order)}), 0);
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{3, 0}));
    EXPECT_EQ(at_hand.stock("B"), (domain::StockLevel{0, 0}));
    const auto ledger = at_hand.reader->movements("A", {}, 10);
    ASSERT_EQ(ledger.size(), 2);
    EXPECT_EQ(ledger[0].movement, (domain::Movement{"A", -2, 3}));
    EXPECT_EQ(ledger[0].reason, "SHIPMENT");
    EXPECT_EQ(ledger[0].order_id, order);
    EXPECT_THAT(replies(), ElementsAre("INVENTORY_RESERVED"));
}

TEST_P(ReservationStoreContract, DeadLettersAnImpossibleMessage) {
    at_hand.create_item("A", 5);
    const domain::OrderId shipped = new_order();
    const domain::OrderId unknown = new_order();
    handle({create(shipped, {{"A", 2}}), ship_it(shipped)});
    EXPECT_EQ(handle({cancel(shipped)}), 1);
    const auto lost = ship_it(unknown);
    EXPECT_EQ(handle({lost}), 1);
    EXPECT_EQ(handle({lost}), 1) << "a dead letter whose delivery was lost must come out again";
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{3, 0}));
    EXPECT_THAT(replies(), ElementsAre("INVENTORY_RESERVED", "INVENTORY_RESERVATION_FAILED"));
    EXPECT_THAT(testing::query_column(*at_hand.database,
                                      "SELECT payload FROM outbox_events ORDER BY position")
                    .back(),
                ::testing::HasSubstr("NOT_RESERVED"));
}

TEST_P(ReservationStoreContract, CarriesOutADeadLetterAfterARepair) {
    at_hand.create_item("A", 5);
    const domain::OrderId order = new_order();
    handle({create(order, {{"A", 2}})});
    const auto run = [&](std::string_view text) {
        const auto tx = at_hand.database->begin(sql::Access::write);
        tx->add({text, text}, {});
        tx->commit();
    };
    run("UPDATE inventory_items SET reserved = 0 WHERE sku = 'A'");
    const auto shipment = ship_it(order);
    EXPECT_EQ(handle({shipment}), 1);
    EXPECT_EQ(status_of(order), "RESERVED");
    run("UPDATE inventory_items SET reserved = 2 WHERE sku = 'A'");
    EXPECT_EQ(handle({shipment}), 0);
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{3, 0}));
}

// Another consumer handles another message of the same order while this one decides.
TEST_P(ReservationsOfTwoWriters, RetriesAfterAConcurrentReservationOfTheOrder) {
    at_hand.create_item("A", 5);
    const domain::OrderId order = new_order();
    const auto first = create(order, {{"A", 2}});
    bool overtaken = false;
    const auto decide_late = [&](domain::Reservation& reservation,
                                 domain::StockLevels& stock_levels,
                                 const domain::OrderMessage& message) {
        if (!std::exchange(overtaken, true)) handle({cancel(order)});
        const domain::CommandContext context{domain::ReservationId(at_hand.ids.next()),
                                             at_hand.clock.now()};
        return app::ReservationStore::Step{decide(reservation, stock_levels, message, context),
                                           at_hand.ids.next()};
    };
    const auto answers =
        at_hand.reservations->handle({&first, 1}, decide_late, at_hand.clock.now());
    EXPECT_TRUE(answers[0]);
    EXPECT_EQ(status_of(order), "CANCELLED_FIRST");
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{5, 0}));
    EXPECT_THAT(replies(), ElementsAre("INVENTORY_RELEASED", "INVENTORY_RESERVATION_FAILED"));
}

// While a batch decides, no other transaction can change the stock levels on which it decides.
TEST_P(ReservationsOfTwoWriters, HoldsTheSkuWhileItDecides) {
    at_hand.create_item("A", 1);
    const sql::Query take{"test.take",
                          "SELECT sku FROM inventory_items WHERE sku = 'A' FOR UPDATE NOWAIT"};
    bool was_free = true;
    const auto decide_slowly = [&](domain::Reservation& reservation,
                                   domain::StockLevels& stock_levels,
                                   const domain::OrderMessage& message) {
        const auto tx = at_hand.database->begin(sql::Access::write);
        tx->add(take, {});
        try {
            tx->flush();
        } catch (const sql::Failure&) {
            was_free = false;
        }
        const domain::CommandContext context{domain::ReservationId(at_hand.ids.next()),
                                             at_hand.clock.now()};
        return app::ReservationStore::Step{decide(reservation, stock_levels, message, context),
                                           at_hand.ids.next()};
    };
    const auto message = create(new_order(), {{"A", 1}});
    EXPECT_TRUE(at_hand.reservations->handle({&message, 1}, decide_slowly, at_hand.clock.now())[0]);
    EXPECT_FALSE(was_free);
}

TEST_P(ReservationStoreContract, SellsAThousandUnitsToSixtyFourBuyersExactly) {
    at_hand.create_item("A", 1000);
    std::vector<std::thread> buyers;
    std::atomic<int> unanswered = 0;
    for (int buyer = 0; buyer < 64; ++buyer) {
        buyers.emplace_back([&] {
            for (int round = 0; round < 2; ++round) {
                std::vector<app::IncomingMessage> messages;
                for (int i = 0; i < 10; ++i) messages.push_back(create(new_order(), {{"A", 1}}));
                for (;;) {  // as the bus does: delivers again the messages that were not handled
                    const auto answers = at_hand.handle(messages);
                    if (std::ranges::all_of(answers,
                                            [](const auto& one) { return one.has_value(); })) {
                        break;
                    }
                    ++unanswered;
                }
            }
        });
    }
    for (std::thread& buyer : buyers) buyer.join();
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{1000, 1000}))
        << unanswered << " batches came again";
    EXPECT_EQ(
        at_hand.count("SELECT count(*) FROM inventory_reservations WHERE status = 'RESERVED'"),
        1000);
    EXPECT_EQ(at_hand.count("SELECT count(*) FROM inventory_reservations WHERE status = 'REFUSED'"),
              280);
    EXPECT_EQ(at_hand.count("SELECT count(*) FROM outbox_events"), 1280);
}

TEST_P(ReservationStoreContract, HasADatabaseThatRefusesToOversell) {
    at_hand.create_item("A", 5);
    handle({create(new_order(), {{"A", 2}})});
    for (const std::string_view text :
         {"UPDATE inventory_items SET reserved = 6 WHERE sku = 'A'",
          "UPDATE inventory_items SET on_hand = 1 WHERE sku = 'A'",
          "UPDATE inventory_items SET on_hand = -1, reserved = 0 WHERE sku = 'A'",
          "UPDATE inventory_items SET reserved = -1 WHERE sku = 'A'",
          "UPDATE inventory_reservation_items SET quantity = 0",
          "UPDATE inventory_reservations SET status = 'PENDING'",
          "INSERT INTO inventory_reservations SELECT '018bcfe5-687b-7abc-8123-456789abcdef', "
          "order_id, owner, status, "
          "reason, shortages, replies, expires_at, created_at, updated_at, sku_count FROM "
          "inventory_reservations",
          "UPDATE stock_movements SET delta = 0",
          "UPDATE stock_movements SET on_hand_after = -1"}) {
        const auto tx = at_hand.database->begin(sql::Access::write);
        tx->add({text, text}, {});
        try {
            tx->commit();
            ADD_FAILURE() << "was taken: " << text;
        } catch (const sql::Failure& failure) {
            EXPECT_EQ(failure.fault, sql::Fault::bad_data) << text << ": " << failure.what();
        }
    }
    EXPECT_EQ(at_hand.stock("A"), (domain::StockLevel{5, 2}));
}

INSTANTIATE_TEST_SUITE_P(Postgres, ReservationsOfTwoWriters, ::testing::Values("postgres"));
INSTANTIATE_TEST_SUITE_P(Databases, ReservationStoreContract,
                         ::testing::ValuesIn(testing::databases),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace trackops::inventory::adapters
