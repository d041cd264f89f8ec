#include "order/adapters/inventory_events_handler.hpp"

#include <gtest/gtest.h>

#include "order/adapters/api_at_hand_test.hpp"
#include "testing/query_column.hpp"

namespace trackops::order::adapters {
namespace {

class InventoryEventsHandler : public ::testing::Test {
protected:
    // Returns an INVENTORY_RESERVED about the order, with the id and with the other members.
    static bus::Message reserved(Uuid order, std::string id, const std::string& others = "") {
        return {
            .topic = "INVENTORY_RESERVED",
            .value = R"({"orderId":")" + order.text() + '"' + others + "}",
            .headers = {
                {"ce_id", std::move(id)}, {"ce_source", "/warehouse"}, {"ce_correlationid", "c"}}};
    }
    std::vector<std::string> causes() {
        return testing::query_column(
            *at_hand.database,
            "SELECT type || ' ' || causation_id FROM outbox_events ORDER BY position");
    }

    ApiAtHand at_hand{"sqlite"};
    const bus::Handler handler =
        make_inventory_events_handler(*at_hand.store, at_hand.clock, {}, [](auto) {});
};

// A producer may be newer, or another than ours: what the order service does not use is no reason
// for a dead letter.
TEST_F(InventoryEventsHandler, HandlesMessagesOfANewerProducer) {
    const Uuid order = ApiAtHand::id_of(at_hand.placed()).uuid;
    const bus::Message message =
        reserved(order, "pick/17", R"(,"reservationId":"R-1","items":{"A":2},"location":"MAIN")");
    const std::vector<bus::Message> batch = {message, message};
    for (const bus::Disposition& disposition : handler(batch))
        EXPECT_TRUE(std::holds_alternative<bus::Done>(disposition)) << disposition.index();
    EXPECT_EQ(causes().size(), 2U);
    EXPECT_EQ(causes().at(1), "ORDER_STATUS_UPDATED pick/17");
}

TEST_F(InventoryEventsHandler, RefusesAMessageWithoutAnId) {
    const Uuid order = ApiAtHand::id_of(at_hand.placed()).uuid;
    const std::vector<bus::Message> batch = {reserved(order, "")};
    EXPECT_TRUE(std::holds_alternative<bus::DeadLetter>(handler(batch).at(0)));
    EXPECT_EQ(causes().size(), 1U);
}

}  // namespace
}  // namespace trackops::order::adapters
