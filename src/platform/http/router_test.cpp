#include "platform/http/router.hpp"

#include <gtest/gtest.h>

#include "platform/http/route_for_tests.hpp"

namespace trackops::http {
namespace {

Router orders() {
    return Router({route_for_tests("GET", "/"), route_for_tests("POST", "/api/orders"),
                   route_for_tests("GET", "/api/orders"),
                   route_for_tests("GET", "/api/orders/stream"),
                   route_for_tests("GET", "/api/orders/{id}"),
                   route_for_tests("DELETE", "/api/orders/{order}"),
                   route_for_tests("POST", "/api/orders/{id}/cancel"),
                   route_for_tests("GET", "/api/{kind}/stream/last"),
                   route_for_tests("GET", "/api/items/{sku}/movements/{at}")});
}

struct Case {
    const char* method;
    const char* path;
    const char* expected;  // the pattern with its parameters, the Allow of a 405, or 404
};

std::string answer(const Router& router, const Case& asked) {
    const auto match = router.match(asked.method, asked.path);
    if (!match.route) return match.allowed.empty() ? "404" : "405 " + match.allowed;
    std::string out(match.route->pattern);
    for (const auto& [name, value] : match.params) out += ' ' + name + '=' + value;
    return out;
}

TEST(Router, AnswersEachPathAsTheTableSays) {
    const Router router = orders();
    for (const Case& asked : {
             Case{"GET", "/", "/"},
             {"GET", "/api/orders", "/api/orders"},
             {"POST", "/api/orders", "/api/orders"},
             {"HEAD", "/api/orders", "/api/orders"},
             {"GET", "/api/orders/7", "/api/orders/{id} id=7"},
             {"DELETE", "/api/orders/7", "/api/orders/{order} order=7"},
             {"GET", "/api/orders/stream", "/api/orders/stream"},
             {"GET", "/api/orders/%73tream", "/api/orders/stream"},
             {"POST", "/api/orders/stream/cancel", "/api/orders/{id}/cancel id=stream"},
             {"GET", "/api/orders/stream/last", "/api/{kind}/stream/last kind=orders"},
             {"GET", "/api/items/a%2Fb%20c/movements/%C3%A9",
              "/api/items/{sku}/movements/{at} sku=a/b c at=\xc3\xa9"},
             {"PUT", "/api/orders", "405 POST, GET, HEAD, OPTIONS"},
             {"HEAD", "/api/orders/7/cancel", "405 POST, OPTIONS"},
             {"TRACE", "/api/orders/7", "405 GET, HEAD, DELETE, OPTIONS"},
             {"DELETE", "/api/orders/stream", "/api/orders/{order} order=stream"},
             {"DELETE", "/api/orders/%73tream", "/api/orders/{order} order=stream"},
             {"BREW", "/api/orders/stream", "405 GET, HEAD, OPTIONS"},
             {"OPTIONS", "/api/orders/stream", "405 GET, HEAD, OPTIONS"},
             {"BREW", "/api/orders/stream/last", "405 GET, HEAD, OPTIONS"},
             {"get", "/api/orders", "405 POST, GET, HEAD, OPTIONS"},
             {"OPTIONS", "/api/orders", "405 POST, GET, HEAD, OPTIONS"},
             {"OPTIONS", "*", "405 GET, HEAD, POST, DELETE, OPTIONS"},
             {"GET", "", "404"},
             {"GET", "api/orders", "404"},
             {"GET", "/api", "404"},
             {"GET", "/api/orders/", "404"},
             {"GET", "//api/orders", "404"},
             {"GET", "/api/orders/7/", "404"},
             {"GET", "/api/orders//cancel", "404"},
             {"GET", "/api/orders/%zz", "404"},
             {"GET", "/api/Orders", "404"},
             {"GET", "/api/orders/7/cancel/x", "404"},
         }) {
        EXPECT_EQ(answer(router, asked), asked.expected) << asked.method << ' ' << asked.path;
    }
}

TEST(Router, SaysWhatAWrongPathWasMeantToBe) {
    const Router router = orders();
    for (const auto& [path, hint] : std::initializer_list<std::pair<const char*, const char*>>{
             {"/api/order", "did you mean /api/orders?"},
             {"/api/Orders/7", "did you mean /api/orders?"},
             {"/api/orders/7/cancle", "did you mean /api/orders/{id}/cancel?"},
             {"/api/items/A%20b/move", "did you mean /api/items/{sku}/movements?"},
             {"/orders", "did you mean /api/orders?"},
             {"/v1/orders", "did you mean /api/orders?"},
             {"/things", "below / this service has api"},
             {"/", "the path ends at /"},
             {"", "below / this service has api"},
             {"api/orders", "below / this service has api"},
             {"//", "the path ends at /"},
             {"/api/inventory/items/7",
              "/api/inventory/items is a path of inventory-service, which listens on port 8081 by "
              "default"},
             {"/inventory",
              "/api/inventory is a path of inventory-service, which listens on port 8081 by "
              "default"},
             {"/api/orders/7/cancel/inventory", "the path ends at /api/orders/{id}/cancel"},
             {"/api/items", "below /api/items this service has {sku}"},
             {"/api/orders/7/cancel/now", "the path ends at /api/orders/{id}/cancel"},
             {"/api/orders/7/%zz", "below /api/orders/{id} this service has cancel"},
         }) {
        EXPECT_EQ(router.hint(path), hint) << path;
    }
}

TEST(Router, RefusesTwoRowsForOneThing) {
    EXPECT_THROW(Router({route_for_tests("GET", "/a/{x}"), route_for_tests("GET", "/a/{y}")}),
                 std::logic_error);
    EXPECT_THROW(Router({route_for_tests("GET", "a")}), std::logic_error);
}

}  // namespace
}  // namespace trackops::http
