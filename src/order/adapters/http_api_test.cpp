// The routes of the API without a server: the life of an order, its versions and idempotency keys.
#include "order/adapters/http_api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "order/adapters/api_at_hand_test.hpp"
#include "order/adapters/customer_api.hpp"
#include "order/adapters/order_json.hpp"
#include "order/adapters/sql_customer_store.hpp"
#include "testing/query_column.hpp"

namespace trackops::order::adapters {
namespace {

using http::header;
using http::Headers;
using http::member;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class OrderApi : public ::testing::Test {
protected:
    http::Response call(std::string_view method, std::string_view target, std::string body = {},
                        Headers headers = {}) {
        return at_hand.call(method, target, std::move(body), std::move(headers));
    }
    std::string status_of(const std::string& path) { return member(call("GET", path), "status"); }
    static Headers if_match(std::string_view version) {
        return {{"if-match", std::string(version)}};
    }
    static Headers key(std::string_view name) { return {{"idempotency-key", std::string(name)}}; }

    ApiAtHand at_hand{"sqlite"};
};

TEST_F(OrderApi, AnswersAPlacedOrderWithWhatWasAgreed) {
    const auto placed = call("POST", "/api/orders", ApiAtHand::terms("A", 2));
    EXPECT_EQ(placed.status, 201);
    const std::string id = member(placed, "id");
    EXPECT_EQ(header(placed, "Location"), "/api/orders/" + id);
    EXPECT_EQ(header(placed, "ETag"), "\"1\"");
    EXPECT_EQ(
        placed.body,
        R"({"id":")" + id +
            R"(","customerId":"018bcfe5-687b-7abc-8123-456789abcdef","status":"PENDING","currency":"GBP",)"
            R"("totalAmount":500,"items":[{"sku":"A","quantity":2,"unitAmount":250,"lineAmount":500}],)"
            R"("shippingAddress":{"line1":"1 High St","city":"London","postalCode":"N1","country":"GB"},)"
            R"("version":1,"createdAt":"2023-11-14T22:13:20.000000Z","updatedAt":"2023-11-14T22:13:20.000000Z"})");
    const auto found = call("GET", header(placed, "Location"));
    EXPECT_EQ(found.body, placed.body);
    EXPECT_EQ(header(found, "ETag"), "\"1\"");
    EXPECT_EQ(header(found, "Location"), "");
    const auto status = call("GET", header(placed, "Location") + "/status");
    EXPECT_EQ(status.body,
              R"({"id":")" + id +
                  R"(","status":"PENDING","version":1,"updatedAt":"2023-11-14T22:13:20.000000Z"})");
    EXPECT_EQ(header(status, "ETag"), "\"1\"");
}

TEST_F(OrderApi, TakesAnOrderThroughItsLife) {
    const std::string path = at_hand.placed();
    at_hand.settle(path, domain::ReservationOutcome::reserved);
    const auto processing = call("POST", path + "/process");
    EXPECT_EQ(processing.status, 200);
    EXPECT_EQ(member(processing, "status"), "PROCESSING");
    EXPECT_EQ(header(processing, "ETag"), "\"3\"");
    EXPECT_EQ(header(processing, "Location"), "");
    const auto shipped = call("POST", path + "/ship", R"({"carrier":"DHL"})");
    EXPECT_EQ(member(shipped, "status"), "SHIPPED");
    EXPECT_THAT(shipped.body, HasSubstr(R"("shipment":{"carrier":"DHL"})"));
    EXPECT_EQ(member(call("POST", path + "/deliver"), "status"), "DELIVERED");
    const auto timeline = [&](std::string_view member) {
        return http::joined(http::pages_of(at_hand.calls, path + "/timeline", member));
    };
    EXPECT_THAT(timeline("version"), ElementsAre("1", "2", "3", "4", "5"));
    EXPECT_THAT(timeline("to"), ElementsAre("\"PENDING\"", "\"CONFIRMED\"", "\"PROCESSING\"",
                                            "\"SHIPPED\"", "\"DELIVERED\""));
    EXPECT_THAT(timeline("actor"),
                ElementsAre("\"local\"", "\"inventory\"", "\"local\"", "\"local\"", "\"local\""));
    EXPECT_EQ(timeline("eventId"),
              testing::query_column(
                  *at_hand.database,
                  "SELECT '\"' || event_id || '\"' FROM outbox_events ORDER BY position"));
    EXPECT_THAT(timeline("type"),
                ElementsAre("\"ORDER_PLACED\"", "\"ORDER_CONFIRMED\"", "\"PROCESSING_STARTED\"",
                            "\"ORDER_SHIPPED\"", "\"ORDER_DELIVERED\""));
    EXPECT_EQ(timeline("cause"),
              testing::query_column(
                  *at_hand.database,
                  "SELECT '\"' || causation_id || '\"' FROM outbox_events ORDER BY position"));
    EXPECT_EQ(timeline("correlationId"),
              testing::query_column(
                  *at_hand.database,
                  "SELECT '\"' || correlation_id || '\"' FROM outbox_events ORDER BY position"));
    EXPECT_THAT(
        call("GET", path + "/timeline").body,
        AllOf(
            HasSubstr(
                R"({"version":1,"type":"ORDER_PLACED","to":"PENDING","at":"2023-11-14T22:13:20.000000Z",)"),
            HasSubstr(
                R"({"version":2,"type":"ORDER_CONFIRMED","from":"PENDING","to":"CONFIRMED",)")));
}

TEST_F(OrderApi, CancelsInThreeWays) {
    for (const auto& [method, end, body, reason] :
         {std::array{"POST", "/cancel", R"({"reason":"CHANGED_MIND"})", "CHANGED_MIND"},
          std::array{"DELETE", "", "", "CUSTOMER_REQUEST"},
          std::array{"PUT", "/status", R"({"status":"CANCELLED","reason":"X"})", "X"}}) {
        const std::string path = at_hand.placed();
        const auto cancelled = call(method, path + end, body);
        EXPECT_EQ(cancelled.status, 200) << cancelled.body;
        EXPECT_EQ(member(cancelled, "status"), "CANCELLED");
        EXPECT_EQ(member(cancelled, "cancelReason"), reason);
        EXPECT_EQ(status_of(path), "CANCELLED");
    }
}

TEST_F(OrderApi, ChangesTheDetailsOfAnOrder) {
    const std::string path = at_hand.placed();
    const auto changed =
        call("PATCH", path, R"({"deliveryInstructions":"ring","shipment":{"carrier":"DHL"}})");
    EXPECT_EQ(changed.status, 200) << changed.body;
    EXPECT_EQ(member(changed, "deliveryInstructions"), "ring");
    EXPECT_THAT(changed.body, HasSubstr(R"("shipment":{"carrier":"DHL"})"));
    EXPECT_EQ(header(changed, "ETag"), "\"3\"") << "the terms and the shipment are two events";
    EXPECT_EQ(call("GET", path).body, changed.body);
    const auto same = call("PATCH", path, R"({"deliveryInstructions":" ring "})");
    EXPECT_EQ(same.status, 200);
    EXPECT_EQ(same.body, changed.body);
    EXPECT_THAT(testing::query_column(*at_hand.database,
                                      "SELECT type || ' ' || sequence FROM outbox_events "
                                      "ORDER BY position"),
                ElementsAre("ORDER_CREATED 1", "ORDER_UPDATED 2", "ORDER_UPDATED 3"));
    EXPECT_THAT(call("GET", path + "/timeline").body,
                AllOf(HasSubstr(R"("version":2,"type":"ORDER_DETAILS_CHANGED","at":)"),
                      HasSubstr(R"("changed":["deliveryInstructions"])"),
                      HasSubstr(R"("changed":["shipment"])")));
}

TEST_F(OrderApi, RefusesDetailsThatCanNoLongerChange) {
    const std::string path = at_hand.placed();
    at_hand.settle(path, domain::ReservationOutcome::reserved);
    for (const auto* step : {"/process", "/ship"}) ASSERT_EQ(call("POST", path + step).status, 200);
    const auto late = call("PATCH", path, R"({"externalRef":"R-2","metadata":{"a":1}})");
    EXPECT_EQ(late.status, 409);
    EXPECT_EQ(member(late, "code"), "illegal-transition");
    EXPECT_EQ(member(late, "detail"),
              "the order is SHIPPED and its externalRef and metadata can no longer be changed; "
              "its shipment can");
    EXPECT_EQ(call("PATCH", path, R"({"shipment":{"trackingNumber":"1"}})").status, 200);
    ASSERT_EQ(call("POST", path + "/deliver").status, 200);
    EXPECT_EQ(
        member(call("PATCH", path, R"({"shipment":null})"), "detail"),
        "the order is DELIVERED and its shipment can no longer be changed; nothing of it can");
    EXPECT_EQ(call("PATCH", path, "{}").status, 200);
    EXPECT_EQ(call("PATCH", path, R"({"status":"SHIPPED"})").status, 422);
}

TEST_F(OrderApi, ChangesDetailsUnderAKeyAndACondition) {
    const std::string path = at_hand.placed();
    const std::string body = R"({"externalRef":"R-2"})";
    EXPECT_EQ(call("PATCH", path, body, if_match("\"2\"")).status, 412);
    const auto first = call("PATCH", path, body, key("k"));
    EXPECT_EQ(header(first, "ETag"), "\"2\"");
    ASSERT_EQ(call("PATCH", path, R"({"externalRef":"R-3"})", if_match("\"2\"")).status, 200);
    const auto again = call("PATCH", path, body, key("k"));
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(header(again, "Idempotency-Replayed"), "true");
    EXPECT_EQ(member(call("GET", path), "externalRef"), "R-3");
    EXPECT_EQ(call("PATCH", path, "{}", key("k")).status, 422);
}

TEST_F(OrderApi, ChangesOnlyTheVersionThatIfMatchNames) {
    const std::string path = at_hand.placed();
    at_hand.settle(path, domain::ReservationOutcome::reserved);
    for (const auto* other : {"\"1\"", "\"3\"", "\"0\"", "\"-2\"", "\"x\"", "2"}) {
        const auto refused = call("POST", path + "/process", "", if_match(other));
        EXPECT_EQ(refused.status, 412) << other;
        EXPECT_EQ(member(refused, "code"), "precondition-failed");
    }
    EXPECT_EQ(status_of(path), "CONFIRMED");
    EXPECT_EQ(header(call("POST", path + "/process", "", if_match("\"2\"")), "ETag"), "\"3\"");
    EXPECT_EQ(call("PUT", path + "/status", R"({"status":"SHIPPED"})", if_match("\"2\"")).status,
              412);
    EXPECT_EQ(call("DELETE", path, "", if_match("\"4\"")).status, 412);
    EXPECT_EQ(call("DELETE", path, "", if_match("*")).status, 200);
}

TEST_F(OrderApi, AnswersAKeyOnceAsItWasAnsweredFirst) {
    const auto first = call("POST", "/api/orders", ApiAtHand::terms(), key("k"));
    EXPECT_EQ(first.status, 201);
    EXPECT_EQ(header(first, "Idempotency-Replayed"), "");
    ASSERT_EQ(call("DELETE", header(first, "Location")).status, 200);
    const auto again = call("POST", "/api/orders", ApiAtHand::terms(), key("\"k\""));
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(header(again, "ETag"), "\"1\"");
    EXPECT_EQ(header(again, "Location"), header(first, "Location"));
    EXPECT_EQ(header(again, "Idempotency-Replayed"), "true");
    EXPECT_EQ(at_hand.rows_of("orders"), 1);
}

TEST_F(OrderApi, AnswersTheKeyOfAChangeAsItWasAnsweredFirst) {
    const std::string path = at_hand.placed();
    at_hand.settle(path, domain::ReservationOutcome::reserved);
    const auto first = call("POST", path + "/process", "", key("k"));
    ASSERT_EQ(first.status, 200);
    ASSERT_EQ(call("POST", path + "/ship").status, 200);
    const auto again = call("POST", path + "/process", "", key("k"));
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(header(again, "ETag"), "\"3\"");
    EXPECT_EQ(header(again, "Location"), "");
    EXPECT_EQ(header(again, "Idempotency-Replayed"), "true");
    EXPECT_EQ(status_of(path), "SHIPPED") << "an old answer is nothing to remember";
}

TEST_F(OrderApi, RefusesAKeyThatComesWithAnotherBody) {
    ASSERT_EQ(call("POST", "/api/orders", ApiAtHand::terms("A"), key("k")).status, 201);
    const auto reused = call("POST", "/api/orders", ApiAtHand::terms("B"), key("k"));
    EXPECT_EQ(reused.status, 422);
    EXPECT_EQ(member(reused, "code"), "idempotency-key-reused");
    EXPECT_EQ(at_hand.rows_of("orders"), 1);
    const std::string path = at_hand.placed();
    ASSERT_EQ(call("POST", path + "/cancel", "", key("c")).status, 200);
    EXPECT_EQ(call("POST", path + "/cancel", R"({"reason":"X"})", key("c")).status, 422);
    EXPECT_EQ(call("POST", "/api/orders", ApiAtHand::terms("B"), key("other")).status, 201);
}

TEST_F(OrderApi, AKeyIsOfItsMethodAndPathAlone) {
    const std::string one = at_hand.placed();
    const std::string other = at_hand.placed();
    for (const auto& path : {one, other})
        at_hand.settle(path, domain::ReservationOutcome::reserved);
    for (const auto& path : {one, other}) {
        const auto processing = call("POST", path + "/process", "", key("k"));
        EXPECT_EQ(processing.status, 200);
        EXPECT_EQ("/api/orders/" + member(processing, "id"), path);
        EXPECT_EQ(header(processing, "Idempotency-Replayed"), "");
    }
    EXPECT_EQ(member(call("POST", one + "/ship", "", key("k")), "status"), "SHIPPED");
    // PUT and GET share this path; the scope of a key includes the method.
    EXPECT_EQ(testing::query_column(*at_hand.database,
                                    "SELECT scope FROM idempotency_keys ORDER BY scope"),
              (std::vector<std::string>{"anonymous POST " + std::min(one, other) + "/process",
                                        "anonymous POST " + one + "/ship",
                                        "anonymous POST " + std::max(one, other) + "/process"}));
}

TEST_F(OrderApi, ForgetsTheKeyOfARefusal) {
    const std::string path = at_hand.placed();
    EXPECT_EQ(call("POST", path + "/process", "", key("k")).status, 409);
    at_hand.settle(path, domain::ReservationOutcome::reserved);
    const auto carried_out = call("POST", path + "/process", "", key("k"));
    EXPECT_EQ(carried_out.status, 200);
    EXPECT_EQ(header(carried_out, "Idempotency-Replayed"), "");
}

TEST_F(OrderApi, RemembersWhatAClientChanged) {
    const std::string path = at_hand.placed();
    at_hand.settle(path, domain::ReservationOutcome::reserved);
    for (const auto* action : {"/process", "/ship", "/deliver"}) {
        const auto before = call("GET", path);  // also puts the order into the cache
        at_hand.clock.advance(std::chrono::seconds(1));
        const auto changed =
            call("POST", path + action,
                 action == std::string_view("/ship") ? R"({"carrier":"DHL","trackingNumber":"1Z"})"
                                                     : "");
        EXPECT_EQ(changed.status, 200) << action;
        const auto after = call("GET", path);
        EXPECT_EQ(after.body, changed.body) << action;
        EXPECT_EQ(order_json(at_hand.found(path)), changed.body) << action;
        EXPECT_EQ(header(after, "ETag"), header(changed, "ETag")) << action;
        EXPECT_NE(after.body, before.body) << action;
        EXPECT_EQ(header(call("GET", path + "/status"), "ETag"), header(changed, "ETag"));
    }
}

TEST_F(OrderApi, AnswersFromMemoryForHalfAMinute) {
    const std::string path = at_hand.placed();
    EXPECT_EQ(status_of(path), "PENDING");
    at_hand.settle(path, domain::ReservationOutcome::reserved);
    at_hand.clock.advance(std::chrono::seconds(30) - Duration(1));
    EXPECT_EQ(status_of(path), "PENDING");
    at_hand.clock.advance(Duration(1));
    EXPECT_EQ(status_of(path), "CONFIRMED");
}

TEST_F(OrderApi, ShowsTheSagasOfAnOrder) {
    const std::string path = at_hand.placed();
    at_hand.settle(path, domain::ReservationOutcome::reserved);
    ASSERT_EQ(call("DELETE", path).status, 200);
    const std::string id = path.substr(path.rfind('/') + 1);
    const auto list = call("GET", "/api/sagas?orderId=" + id);
    EXPECT_THAT(list.body, AllOf(HasSubstr("ORDER_FULFILMENT"), HasSubstr("ORDER_CANCELLATION"),
                                 HasSubstr(R"("name":"release","status":"RUNNING","attempts":1)")));
    const auto running = call("GET", "/api/sagas?status=RUNNING&type=ORDER_CANCELLATION");
    EXPECT_THAT(running.body, Not(HasSubstr("ORDER_FULFILMENT")));
    const auto saga =
        at_hand.store->sagas({.status = {}, .type = {}, .order = {}}, {}, 1)->items[0];
    const auto one = call("GET", "/api/sagas/" + saga.saga.id.text());
    EXPECT_EQ(one.status, 200);
    EXPECT_THAT(list.body, HasSubstr(one.body));
    EXPECT_EQ(call("GET", "/api/sagas?type=ORDER_CANCELLATION&status=COMPLETED").body,
              R"({"items":[],"nextCursor":null})");
}

class OrderToAnAddress : public ::testing::TestWithParam<std::string> {
protected:
    // A customer whose id is that of ApiAtHand::terms().
    static constexpr std::string_view customer = "018bcfe5-687b-7abc-8123-456789abcdef";

    // Registers a customer with one address, in the given city, and returns the address's id.
    std::string address_of(std::string_view id, std::string_view city) {
        (void)calls_.call("POST", "/api/customers", fmt::format(R"({{"id":"{}"}})", id));
        const auto added =
            calls_.call("POST", fmt::format("/api/customers/{}/addresses", id),
                        fmt::format(R"({{"label":"Home","recipient":"Ada","line1":"1","city":"{}",)"
                                    R"("postalCode":"N1","country":"GB"}})",
                                    city));
        EXPECT_EQ(added.status, 201) << added.body;
        return member(added, "id");
    }
    static std::string terms_to(std::string_view address) {
        std::string terms = ApiAtHand::terms();
        const auto at = terms.find(R"("shippingAddress")");
        return terms.substr(0, at) + fmt::format(R"("shippingAddressId":"{}"}})", address);
    }

    ApiAtHand at_hand_{GetParam()};
    std::unique_ptr<app::CustomerStore> customers_ = make_sql_customer_store(*at_hand_.database);
    http::Calls calls_{customer_routes({*customers_,
                                        at_hand_.clock,
                                        at_hand_.ids,
                                        idempotency_lifetime_default,
                                        *at_hand_.store,
                                        {},
                                        [](auto) {}}),
                       [] {}};
};

TEST_P(OrderToAnAddress, KeepsACopyOfIt) {
    const std::string address = address_of(customer, "London");
    const auto placed = at_hand_.call("POST", "/api/orders", terms_to(address));
    ASSERT_EQ(placed.status, 201) << placed.body;
    EXPECT_THAT(placed.body, HasSubstr(R"("shippingAddress":{"recipient":"Ada","line1":"1",)"
                                       R"("city":"London","postalCode":"N1","country":"GB"})"));
    const std::string path = fmt::format("/api/customers/{}/addresses/{}", customer, address);
    EXPECT_EQ(calls_.call("PATCH", path, R"({"city":"Leeds"})").status, 200);
    EXPECT_EQ(at_hand_.call("GET", header(placed, "Location")).body, placed.body);
    EXPECT_THAT(at_hand_.call("POST", "/api/orders", terms_to(address)).body, HasSubstr("Leeds"));
}

TEST_P(OrderToAnAddress, IsRefusedForAnAddressOfSomebodyElse) {
    const std::string other = address_of("somebody else", "Oslo");
    for (const std::string& address : {other, std::string(customer)}) {
        const auto refused = at_hand_.call("POST", "/api/orders", terms_to(address));
        EXPECT_EQ(refused.status, 422);
        EXPECT_EQ(http::pointers(refused), std::vector<std::string>{"/shippingAddressId"});
    }
    std::string both = ApiAtHand::terms();
    both.insert(1, fmt::format(R"("shippingAddressId":"{}",)", other));
    EXPECT_EQ(http::pointers(at_hand_.call("POST", "/api/orders", both)),
              std::vector<std::string>{"/shippingAddressId"});
    EXPECT_EQ(at_hand_.rows_of("orders"), 0U);
}

TEST_P(OrderToAnAddress, IsAnsweredAsBeforeWhenItsKeyIsRepeated) {
    const std::string address = address_of(customer, "London");
    const Headers key{{"idempotency-key", "k"}};
    const auto placed = at_hand_.call("POST", "/api/orders", terms_to(address), key);
    ASSERT_EQ(placed.status, 201) << placed.body;
    const std::string path = fmt::format("/api/customers/{}/addresses/{}", customer, address);
    EXPECT_EQ(calls_.call("DELETE", path).status, 204);
    const auto repeated = at_hand_.call("POST", "/api/orders", terms_to(address), key);
    EXPECT_EQ(repeated.body, placed.body);
    EXPECT_EQ(header(repeated, "Idempotency-Replayed"), "true");
    EXPECT_EQ(at_hand_.call("POST", "/api/orders", terms_to(address)).status, 422);
    EXPECT_EQ(at_hand_.rows_of("orders"), 1U);
}

INSTANTIATE_TEST_SUITE_P(Databases, OrderToAnAddress, ::testing::Values("sqlite", "postgres"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace trackops::order::adapters
