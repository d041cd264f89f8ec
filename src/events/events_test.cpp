#include "events/events.hpp"

#include <gtest/gtest.h>

#include "events/decode.hpp"
#include "events/encode.hpp"

namespace trackops::events {
namespace {

const Uuid order = *Uuid::parse("018bcfe5-687b-7abc-8123-456789abcdef");
const Uuid other = *Uuid::parse("018bcfe5-687b-7abc-8123-0000000000ff");
const Instant at{1'700'000'000'123'456};

const OrderSummary summary{order, "R-1", "C 1", "SHIPPED", 1234, "GBP", Shipment{"DHL", ""}};

std::vector<Event> one_of_each() {
    return {
        OrderCreated{
            order, 1, "C 1", "GBP", 1234, {{"85123A", 2, 255}, {"a b/c", 1, 724}}, at, summary},
        OrderStatusUpdated{order, 2, "PENDING", "CONFIRMED", {}, at, {}},
        OrderStatusUpdated{order, 4, "PROCESSING", "SHIPPED", "why", at, Shipment{"DHL", "\"x\\"},
                           summary},
        OrderDelivered{order, 5, at, summary},
        OrderCancelled{order, 2, "CUSTOMER_REQUEST", "local", at, summary},
        OrderCancelled{order,
                       2,
                       "OUT_OF_STOCK",
                       "inventory",
                       at,
                       summary,
                       {{"85123A", 5, 3, "INSUFFICIENT_STOCK"}}},
        OrderUpdated{order, 3, {"metadata", "shipment"}, at, summary},
        CustomerErased{"shopper-17"},
        InventoryReserved{order, other, {{"85123A", 2}}, at},
        InventoryReserved{order, other, {}, {}},
        InventoryReservationFailed{order, "OUT_OF_STOCK", {{"85123A", 5, 3, "INSUFFICIENT_STOCK"}}},
        InventoryReleased{order, other, {{"85123A", 2}}, "CUSTOMER_REQUEST"},
    };
}

TEST(Events, ComeBackAsTheyWere) {
    for (const Event& event : one_of_each()) {
        const auto decoded = decode(type_of(event), encode(event));
        ASSERT_TRUE(decoded) << encode(event) << " " << decoded.error().detail;
        EXPECT_EQ(*decoded, event) << encode(event);
    }
}

TEST(Events, LookAsTheContractSays) {
    EXPECT_EQ(
        encode(InventoryReservationFailed{
            order, "OUT_OF_STOCK", {{"85123A", 5, 3, "INSUFFICIENT_STOCK"}}}),
        R"({"orderId":"018bcfe5-687b-7abc-8123-456789abcdef","reason":"OUT_OF_STOCK","items":[)"
        R"({"sku":"85123A","requested":5,"available":3,"reason":"INSUFFICIENT_STOCK"}]})");
    EXPECT_EQ(
        encode(OrderUpdated{order, 3, {"shipment"}, at, summary}),
        R"({"orderId":"018bcfe5-687b-7abc-8123-456789abcdef","version":3,"changed":["shipment"],)"
        R"("occurredAt":"2023-11-14T22:13:20.123456Z","order":{"id":"018bcfe5-687b-7abc-8123-456789abcdef",)"
        R"("externalRef":"R-1","customerId":"C 1","status":"SHIPPED","totalAmount":1234,"currency":"GBP",)"
        R"("shipment":{"carrier":"DHL"}}})");
    EXPECT_EQ(
        encode(OrderDelivered{order, 5, at}),
        R"({"orderId":"018bcfe5-687b-7abc-8123-456789abcdef","version":5,"deliveredAt":"2023-11-14T22:13:20.123456Z"})");
}

TEST(Events, OfANewerProducerMayHaveMoreFields) {
    const auto decoded =
        decode("ORDER_DELIVERED",
               R"({"new":[1],"orderId":"018bcfe5-687b-7abc-8123-456789abcdef","version":5,)"
               R"("deliveredAt":"2023-11-14T22:13:20.123456Z"})");
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, Event(OrderDelivered{order, 5, at}));
}

TEST(Events, NameEveryFaultOfTheFieldsThatAConsumerUses) {
    const auto decoded = decode(
        "ORDER_CREATED",
        R"({"orderId":"x","version":0,"currency":"XXX","totalAmount":-1,"items":[{"sku":" "}],"createdAt":"now"})");
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, Errc::invalid);
    std::vector<std::string> pointers;
    for (const FieldError& fault : decoded.error().fields) pointers.push_back(fault.pointer);
    EXPECT_EQ(pointers,
              (std::vector<std::string>{"/orderId", "/items/0/sku", "/items/0/quantity"}));
}

// Every field that no consumer of ours uses is missing, of another type or unheard of.
TEST(Events, OfANewerProducerAreReadWhateverTheOtherFieldsHold) {
    const auto created = decode(
        "ORDER_CREATED",
        R"({"orderId":"018bcfe5-687b-7abc-8123-456789abcdef","version":"2.0","customerId":"C-1","currency":"XZZ",)"
        R"("totalAmount":1e30,"items":[{"sku":"A","quantity":2,"unitAmount":"free","gift":{}}],"createdAt":17})");
    ASSERT_TRUE(created);
    EXPECT_EQ(std::get<OrderCreated>(*created).items.at(0).quantity, 2);
    const std::string only_id = R"({"orderId":"018bcfe5-687b-7abc-8123-456789abcdef"})";
    const std::string with_reason =
        R"({"orderId":"018bcfe5-687b-7abc-8123-456789abcdef","reason":"WHY","items":7})";
    EXPECT_TRUE(decode("ORDER_DELIVERED", only_id));
    EXPECT_TRUE(decode("ORDER_CANCELLED", with_reason));
    EXPECT_TRUE(decode("INVENTORY_RESERVED", only_id));
    EXPECT_TRUE(decode("INVENTORY_RELEASED", only_id));
    EXPECT_TRUE(decode("INVENTORY_RESERVATION_FAILED", with_reason));
    EXPECT_TRUE(decode(
        "ORDER_STATUS_UPDATED",
        R"({"orderId":"018bcfe5-687b-7abc-8123-456789abcdef","newStatus":"SHIPPED","shipment":[]})"));
}

TEST(Events, MayHaveMoreLinesThanAnOrderOfToday) {
    OrderCreated large{order, 1, "C 1", "GBP", 2'500, {}, at};
    for (int i = 0; i < 2'500; ++i) large.items.push_back({"A" + std::to_string(i), 1, 1});
    const auto decoded = decode("ORDER_CREATED", encode(large));
    ASSERT_TRUE(decoded) << decoded.error().detail;
    EXPECT_EQ(*decoded, Event(large));
}

TEST(Events, RefuseWhatIsNone) {
    EXPECT_EQ(decode("ORDER_CREATED", "{").error().code, Errc::malformed);
    EXPECT_EQ(decode("ORDER_CREATED", "[]").error().code, Errc::invalid);
    EXPECT_EQ(decode("ORDER_EATEN", "{}").error().code, Errc::not_found);
}

}  // namespace
}  // namespace trackops::events
