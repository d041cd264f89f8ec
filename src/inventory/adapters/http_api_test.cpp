// The tests of the API's routes without a server: requests, responses and the rows in the tables.
#include "inventory/adapters/http_api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inventory/adapters/api_at_hand_test.hpp"
#include "inventory/adapters/bulk.hpp"

namespace trackops::inventory::adapters {
namespace {

using http::header;
using http::Headers;
using http::pointers;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class InventoryApi : public ::testing::Test {
protected:
    http::Response call(std::string_view method, std::string_view target, std::string body = {},
                        Headers headers = {}) {
        return at_hand.call(method, target, std::move(body), std::move(headers));
    }
    std::int64_t rows() {
        return at_hand.count(
            "SELECT (SELECT count(*) FROM inventory_items) + (SELECT count(*) FROM "
            "stock_movements) + "
            "(SELECT count(*) FROM idempotency_keys) + (SELECT count(*) FROM processed_events)");
    }

    ApiAtHand at_hand{"sqlite"};
};

TEST_F(InventoryApi, TakesAnItemThroughItsLife) {
    const auto made =
        call("POST", "/api/inventory/items",
             R"({"sku":"A/1 x","name":"Mug","unitAmount":250,"currency":"GBP","onHand":7.0})");
    EXPECT_EQ(made.status, 201) << made.body;
    const std::string path = "/api/inventory/items/A%2F1%20x";
    EXPECT_EQ(header(made, "Location"), path);
    EXPECT_EQ(header(made, "ETag"), "\"1\"");
    EXPECT_EQ(
        made.body,
        R"({"sku":"A/1 x","name":"Mug","unitAmount":250,"currency":"GBP","onHand":7,"reserved":0,"available":7,)"
        R"("version":1,"createdAt":"2023-11-14T22:13:20.000000Z","updatedAt":"2023-11-14T22:13:20.000000Z"})");
    EXPECT_EQ(call("GET", path).body, made.body);
    EXPECT_EQ(call("POST", "/api/inventory/items", R"({"sku":"A/1 x","name":"Mug"})").status, 409);

    EXPECT_EQ(call("PATCH", path, R"({"name":"Cup"})", {{"if-match", "\"2\""}}).status, 412);
    EXPECT_EQ(call("PATCH", path, R"({"name":"Cup"})", {{"if-match", "mug"}}).status, 412);
    const auto patched = call("PATCH", path, R"({"name":"Cup","unitAmount":null,"currency":null})",
                              {{"if-match", "\"1\""}});
    EXPECT_EQ(patched.status, 200) << patched.body;
    EXPECT_EQ(header(patched, "ETag"), "\"2\"");
    EXPECT_THAT(patched.body, Not(HasSubstr("unitAmount")));

    at_hand.handle({{at_hand.ids.next(),
                     {domain::OrderId(at_hand.ids.next()),
                      domain::ReservationCommand::create,
                      {{"A/1 x", 2}}}}});
    EXPECT_EQ(call("DELETE", path).status, 409);
    EXPECT_EQ(call("DELETE", "/api/inventory/items/none").status, 404);
    call("POST", "/api/inventory/items", R"({"sku":"B","name":"Bowl"})");
    EXPECT_EQ(call("DELETE", "/api/inventory/items/B").status, 204);
    EXPECT_EQ(call("GET", "/api/inventory/items/B").status, 404);
}

TEST_F(InventoryApi, AnItemMayBeCalledLikeARoute) {
    EXPECT_EQ(call("POST", "/api/inventory/items", R"({"sku":"bulk","name":"b"})").status, 201);
    const std::string path = "/api/inventory/items/bulk";
    EXPECT_EQ(call("PATCH", path, R"({"name":"c"})").status, 200);
    EXPECT_THAT(call("GET", path).body, HasSubstr(R"("name":"c")"));
    EXPECT_EQ(call("DELETE", path).status, 204);
}

TEST_F(InventoryApi, AdjustsStockOnceAKey) {
    at_hand.create_item("A", 5);
    const std::string path = "/api/inventory/items/A/adjustments";
    const std::string body = R"({"delta":-2,"reason":"LOSS","expectedOnHand":5})";
    EXPECT_EQ(call("POST", path, body).status, 428);
    const Headers key = {{"idempotency-key", "\"k\""}};
    const auto first = call("POST", path, body, key);
    EXPECT_EQ(first.status, 200) << first.body;
    const auto again = call("POST", path, body, key);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(header(again, "ETag"), header(first, "ETag"));
    EXPECT_EQ(header(again, "Idempotency-Replayed"), "true");
    EXPECT_EQ(header(first, "Idempotency-Expires"),
              (at_hand.clock.now() + idempotency_lifetime_default).text());
    EXPECT_EQ(header(again, "Idempotency-Expires"), header(first, "Idempotency-Expires"));
    EXPECT_EQ(call("POST", path, R"({"delta":-1,"reason":"LOSS"})", key).status, 422);
    EXPECT_EQ(call("POST", path, body, {{"idempotency-key", "other"}}).status, 409);
    EXPECT_EQ(at_hand.stock("A").on_hand, 3);
    const auto ledger = call("GET", "/api/inventory/items/A/movements?limit=1");
    EXPECT_THAT(ledger.body, HasSubstr(R"("delta":-2,"onHandAfter":3,"reason":"LOSS")"));
    EXPECT_THAT(header(ledger, "Link"), HasSubstr("limit=1&cursor="));
    EXPECT_EQ(call("GET", "/api/inventory/items/none/movements").status, 404);
}

TEST_F(InventoryApi, KeepsTheOrderOfAnAdjustmentInTheLedger) {
    at_hand.create_item("A", 5);
    const std::string path = "/api/inventory/items/A/adjustments";
    const std::string order = at_hand.ids.next().text();
    EXPECT_EQ(call("POST", path, R"({"delta":1,"reason":"RETURN","orderId":")" + order + R"("})",
                   {{"idempotency-key", "k"}})
                  .status,
              200);
    EXPECT_THAT(call("GET", "/api/inventory/items/A/movements").body,
                HasSubstr(R"("reason":"RETURN","orderId":")" + order + '"'));
    EXPECT_THAT(pointers(call("POST", path, R"({"delta":1,"reason":"RETURN","orderId":"7"})",
                              {{"idempotency-key", "l"}})),
                UnorderedElementsAre("/orderId"));
}

TEST_F(InventoryApi, AKeyIsOfItsMethodAndPathAlone) {
    const Headers key = {{"idempotency-key", "k"}};
    for (const std::string sku : {"A", "B"}) {
        const std::string items = "/api/inventory/items";
        const std::string item = items + "/" + sku;
        // The bodies are alike wherever they may be: only the path tells the requests apart.
        EXPECT_EQ(call("POST", items, R"({"sku":")" + sku + R"(","name":"n","onHand":5})").status,
                  201);
        const auto adjusted =
            call("POST", item + "/adjustments", R"({"delta":-5,"reason":"LOSS"})", key);
        EXPECT_EQ(adjusted.status, 200);
        EXPECT_EQ(header(adjusted, "Idempotency-Replayed"), "");
        EXPECT_EQ(http::member(adjusted, "sku"), sku);
        EXPECT_EQ(call("PATCH", item, R"({"name":"other"})", key).status, 200);
        const auto deleted = call("DELETE", item, R"({"name":"other"})", key);
        EXPECT_EQ(deleted.status, 204);
        EXPECT_EQ(header(deleted, "Idempotency-Replayed"), "");
        EXPECT_EQ(header(call("DELETE", item, R"({"name":"other"})", key), "Idempotency-Replayed"),
                  "true");
    }
}

TEST_F(InventoryApi, NamesEveryFaultAndWritesNothing) {
    const std::string items = "/api/inventory/items";
    const auto empty = rows();
    const auto wrong =
        call("POST", items,
             R"({"sku":" a","name":7,"unitAmount":-1,"currency":"gbp","onHand":1.5,"colour":"red",)"
             R"("lowStockThreshold":"x"})");
    EXPECT_EQ(wrong.status, 422);
    EXPECT_THAT(pointers(wrong), UnorderedElementsAre("/sku", "/name", "/unitAmount", "/currency",
                                                      "/onHand", "/colour", "/lowStockThreshold"));
    EXPECT_THAT(pointers(call("POST", items, "{}")), UnorderedElementsAre("/sku", "/name"));
    EXPECT_THAT(pointers(call("POST", items, R"({"sku":"a","name":"a","unitAmount":1})")),
                UnorderedElementsAre("/currency"));
    EXPECT_THAT(pointers(call("PATCH", items + "/a", R"({"unitAmount":null})")),
                UnorderedElementsAre("/currency"));
    EXPECT_THAT(pointers(call("PATCH", items + "/a", R"({"currency":null})")),
                UnorderedElementsAre("/unitAmount"));
    EXPECT_THAT(pointers(call("PATCH", items + "/a", R"({"unitAmount":null,"currency":"GBP"})")),
                UnorderedElementsAre("/unitAmount"));
    EXPECT_THAT(pointers(call("PATCH", items + "/a", R"({"unitAmount":1,"currency":null})")),
                UnorderedElementsAre("/currency"));
    EXPECT_THAT(call("POST", items + "/bulk", R"({"sku":"a","currency":null})").body,
                HasSubstr(R"("pointer":"/unitAmount")"));
    EXPECT_EQ(call("POST", items, "{").status, 400);
    EXPECT_EQ(call("POST", items, "\"\xff\"").status, 400);
    EXPECT_EQ(call("POST", items, "[]").status, 422);
    EXPECT_EQ(call("POST", items + "?x=1", R"({"sku":"a","name":"a"})").status, 422);
    EXPECT_THAT(pointers(call("POST", items + "/a/adjustments",
                              R"({"delta":0,"reason":"SHIPMENT"})", {{"idempotency-key", "k"}})),
                UnorderedElementsAre("/delta", "/reason"));
    EXPECT_EQ(call("POST", items + "/a/adjustments", R"({"delta":1,"reason":"RETURN"})",
                   {{"idempotency-key", "k"}})
                  .status,
              404);
    EXPECT_EQ(call("POST", items, R"({"sku":"a","name":"a"})",
                   {{"idempotency-key", std::string(300, 'k')}})
                  .status,
              422);
    EXPECT_THAT(pointers(call("PATCH", items + "/a", R"({"name":null,"onHand":3})")),
                UnorderedElementsAre("/name", "/onHand"));
    EXPECT_THAT(pointers(call("GET", items + "?limit=0&lowStock=yes&q=&cursor=%20")),
                UnorderedElementsAre("limit", "lowStock", "cursor"));
    EXPECT_THAT(
        pointers(call("GET", "/api/inventory/reservations?orderId=1&status=REFUSED&sku=%C3%A9")),
        UnorderedElementsAre("orderId", "status", "sku"));
    EXPECT_EQ(call("GET", "/api/inventory/reservations/1").status, 404);
    EXPECT_EQ(call("DELETE", items + "/a").status, 404);
    EXPECT_EQ(rows(), empty);
}

TEST_F(InventoryApi, TakesManyItemsLineByLine) {
    at_hand.create_item("B", 5);
    at_hand.handle(
        {{at_hand.ids.next(),
          {domain::OrderId(at_hand.ids.next()), domain::ReservationCommand::create, {{"B", 3}}}}});
    const auto answer = call("POST", "/api/inventory/items/bulk",
                             "{\"sku\":\"A\",\"name\":\"a\",\"onHand\":4}\r\n"
                             "\n"
                             "{\"sku\":\"A\",\"onHand\":6}\n"
                             "{\"sku\":\"B\",\"onHand\":2}\n"
                             "{\"sku\":\"C\",\"onHand\":2}\n"
                             "{\"sku\":\"\",\"colour\":1}\n"
                             "nonsense\n"
                             "{\"sku\":\"B\",\"onHand\":3}");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, "application/x-ndjson");
    std::vector<std::string> lines;
    std::istringstream text(answer.body);
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    ASSERT_EQ(lines.size(), 7) << answer.body;
    EXPECT_EQ(lines[0], R"({"line":1,"sku":"A","status":201,"version":1,"onHand":4})");
    EXPECT_THAT(
        lines[1],
        HasSubstr(
            R"({"line":3,"sku":"A","sameSkuAsLine":1,"status":200,"version":1,"onHand":4,"note":"the item exists, so)"));
    EXPECT_THAT(lines[2],
                HasSubstr(R"({"line":4,"sku":"B","status":200,"version":2,"onHand":5,"note":)"));
    EXPECT_THAT(lines[3], HasSubstr(R"("pointer":"/name")"));
    EXPECT_THAT(lines[4], AllOf(HasSubstr("/sku"), HasSubstr("/colour"), HasSubstr("422")));
    EXPECT_THAT(lines[5], HasSubstr(R"({"line":7,"status":400,)"));
    EXPECT_THAT(
        lines[6],
        HasSubstr(
            R"({"line":8,"sku":"B","sameSkuAsLine":4,"status":200,"version":2,"onHand":5,"note")"));
    EXPECT_EQ(at_hand.stock("A").on_hand, 4);
    EXPECT_EQ(at_hand.stock("B"), (domain::StockLevel{5, 3}));
}

TEST_F(InventoryApi, SetsCountsOnlyFromWhatWasExpected) {
    at_hand.create_item("A", 7);
    const std::string set = "/api/inventory/items/bulk?mode=set";
    const auto answer = call("POST", set,
                             "{\"sku\":\"A\",\"onHand\":9,\"expectedOnHand\":5}\n"
                             "{\"sku\":\"A\",\"onHand\":9,\"expectedOnHand\":7}\n"
                             "{\"sku\":\"A\",\"onHand\":9}\n"
                             "{\"sku\":\"B\",\"name\":\"b\",\"onHand\":2,\"expectedOnHand\":0}\n"
                             "{\"sku\":\"A\",\"expectedOnHand\":9}\n");
    std::vector<std::string> lines;
    std::istringstream text(answer.body);
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    ASSERT_EQ(lines.size(), 5) << answer.body;
    EXPECT_THAT(lines[0], AllOf(HasSubstr(R"({"line":1,"sku":"A","status":409,)"),
                                HasSubstr("7 are on hand, not 5")));
    EXPECT_EQ(lines[1],
              R"({"line":2,"sku":"A","sameSkuAsLine":1,"status":200,"version":2,"onHand":9})");
    EXPECT_THAT(lines[2], AllOf(HasSubstr("422"), HasSubstr("/expectedOnHand")));
    EXPECT_EQ(lines[3], R"({"line":4,"sku":"B","status":201,"version":1,"onHand":2})");
    EXPECT_THAT(lines[4], AllOf(HasSubstr("422"), HasSubstr("/onHand")));
    EXPECT_EQ(at_hand.stock("A").on_hand, 9);
    EXPECT_EQ(at_hand.reader->movements("A", {}, 1)[0].reason, "BULK");
    EXPECT_THAT(
        call("POST", "/api/inventory/items/bulk", R"({"sku":"A","onHand":9,"expectedOnHand":7})")
            .body,
        AllOf(HasSubstr("422"), HasSubstr("mode=set")));
    EXPECT_THAT(pointers(call("POST", "/api/inventory/items/bulk?mode=all&errorPolicy=no", "{}")),
                UnorderedElementsAre("mode", "errorPolicy"));
}

TEST(StreamSkus, RemembersWhereASkuStoodFirst) {
    StreamSkus skus;
    EXPECT_EQ(skus.first_line_of("A", 1), 0);
    EXPECT_EQ(skus.first_line_of("A", 2), 1);
    EXPECT_EQ(skus.first_line_of("A", 3), 1);
    for (std::size_t i = 1; i < bulk_skus_remembered_max; ++i)
        EXPECT_EQ(skus.first_line_of(std::to_string(i), 4), 0);
    EXPECT_EQ(skus.first_line_of("late", 5), 0);
    EXPECT_EQ(skus.first_line_of("late", 6), 0);  // beyond the limit
    EXPECT_EQ(skus.first_line_of("A", 7), 1);
}

TEST_F(InventoryApi, TakesMoreLinesThanATransaction) {
    std::string body;
    for (std::size_t i = 0; i < 2 * bulk_lines_max + 1; ++i) {
        body += "{\"sku\":\"S" + std::to_string(i) + "\",\"name\":\"s\",\"onHand\":1}\n";
    }
    const auto answer = call("POST", "/api/inventory/items/bulk", body);
    EXPECT_EQ(std::ranges::count(answer.body, '\n'), 2 * bulk_lines_max + 1);
    EXPECT_EQ(at_hand.count("SELECT count(*) FROM inventory_items"), 2 * bulk_lines_max + 1);
}

TEST_F(InventoryApi, PagesThroughItems) {
    for (const auto* sku : {"a b", "a/c", "d"}) at_hand.create_item(sku, 1);
    const auto first = call("GET", "/api/inventory/items?limit=2");
    EXPECT_THAT(first.body, HasSubstr(R"("nextCursor":"a/c")"));
    const std::string link = header(first, "Link");
    const auto second = call("GET", std::string_view(link).substr(1, link.find('>') - 1));
    EXPECT_THAT(second.body, AllOf(HasSubstr(R"("sku":"d")"), HasSubstr(R"("nextCursor":null)"),
                                   Not(HasSubstr("a/c"))));
}

TEST_F(InventoryApi, TellsWhatIsAvailableAndWhatIsHeld) {
    at_hand.create_item("A", 5);
    const domain::OrderId order(at_hand.ids.next());
    at_hand.handle({{at_hand.ids.next(), {order, domain::ReservationCommand::create, {{"A", 3}}}}});
    EXPECT_EQ(call("GET", "/api/inventory/availability?sku=A&sku=zz&sku=A").body,
              R"({"items":[{"sku":"A","onHand":5,"reserved":3,"available":2}],"unknown":["zz"]})");
    EXPECT_EQ(call("GET", "/api/inventory/availability").status, 422);
    const auto held = at_hand.reader->reservations({}, {}, 1).at(0);
    const auto one = call("GET", "/api/inventory/reservations/" + held.id.text());
    EXPECT_THAT(one.body, AllOf(HasSubstr(R"("status":"RESERVED")"), HasSubstr(order.text()),
                                HasSubstr(R"("items":[{"sku":"A","quantity":3}])")));
    EXPECT_THAT(call("GET", "/api/inventory/reservations?sku=A&orderId=" + order.text()).body,
                HasSubstr(one.body));
}

}  // namespace
}  // namespace trackops::inventory::adapters
