// The requests that each route refuses, with their problems. A refused request changes nothing.
#include <gtest/gtest.h>

#include "order/adapters/api_at_hand_test.hpp"

namespace trackops::order::adapters {
namespace {

using http::header;
using http::Headers;
using http::member;

struct Refusal {
    std::string method;
    std::string target;  // {id}: a PENDING order; {none}: no order
    std::string body;
    Headers headers;
    int status;
    std::string code;
    std::vector<std::string> pointers = {};
};

std::vector<Refusal> refusals() {
    const Headers long_key = {{"idempotency-key", std::string(256, 'k')}};
    const std::string order = "/api/orders/{id}";
    std::vector<Refusal> list = {
        {"POST", "/api/orders", "{", {}, 400, "malformed-request"},
        {"POST", "/api/orders", "[]", {}, 422, "invalid-request", {""}},
        {"POST",
         "/api/orders",
         "",
         {},
         422,
         "invalid-request",
         {"/customerId", "/currency", "/items", "/shippingAddress"}},
        {"POST",
         "/api/orders?wait=shipped",
         ApiAtHand::terms(),
         {},
         422,
         "invalid-request",
         {"wait"}},
        {"POST", "/api/orders?x=1", ApiAtHand::terms(), {}, 422, "invalid-request", {"x"}},
        {"POST",
         "/api/orders",
         ApiAtHand::terms(),
         long_key,
         422,
         "invalid-request",
         {"Idempotency-Key"}},
        {"GET", "/api/orders?status=x&x=1", "", {}, 422, "invalid-request", {"status", "x"}},
        {"GET",
         "/api/orders?status=x&customerId=" + std::string(65, 'x') +
             "&createdFrom=x&createdTo=x&cursor=x&limit=0",
         "",
         {},
         422,
         "invalid-request",
         {"status", "customerId", "createdFrom", "createdTo", "cursor", "limit"}},
        {"GET", "/api/orders?limit=501", "", {}, 422, "invalid-request", {"limit"}},
        {"GET", "/api/orders?limit=1x", "", {}, 422, "invalid-request", {"limit"}},
        {"GET",
         "/api/sagas?status=x&type=x&orderId=x&cursor=x&limit=501",
         "",
         {},
         422,
         "invalid-request",
         {"status", "type", "orderId", "cursor", "limit"}},
        {"GET", "/api/sagas?x=1", "", {}, 422, "invalid-request", {"x"}},
        {"GET", "/api/sagas/{none}", "", {}, 404, "not-found"},
        {"GET", "/api/sagas/7", "", {}, 404, "not-found"},
        {"GET", "/api/sagas/{none}?x=1", "", {}, 422, "invalid-request", {"x"}},
        {"PUT", order + "/status", "{}", {}, 422, "invalid-request", {"/status"}},
        {"PUT",
         order + "/status",
         R"({"status":"EATEN"})",
         {},
         422,
         "invalid-request",
         {"/status"}},
        {"PUT", order + "/status", R"({"status":"CONFIRMED"})", {}, 409, "illegal-transition"},
        {"PUT", order + "/status", R"({"status":"PENDING"})", {}, 409, "illegal-transition"},
        {"PUT",
         order + "/status",
         R"({"status":"SHIPPED","reason":"X"})",
         {},
         422,
         "invalid-request",
         {"/reason"}},
        {"POST", order + "/process", R"({"reason":"X"})", {}, 422, "invalid-request", {"/reason"}},
        {"POST", order + "/ship", R"({"carrier":7})", {}, 422, "invalid-request", {"/carrier"}},
        {"POST",
         order + "/deliver",
         R"({"carrier":"X"})",
         {},
         422,
         "invalid-request",
         {"/carrier"}},
        {"POST",
         order + "/cancel",
         R"({"reason":"TIMED_OUT"})",
         {},
         422,
         "invalid-request",
         {"/reason"}},
        {"DELETE", order, R"({"reason":"OUT_OF_STOCK"})", {}, 422, "invalid-request", {"/reason"}},
        {"POST", order + "/process", "", {}, 409, "illegal-transition"},
        {"POST", order + "/ship", "", {}, 409, "illegal-transition"},
        {"POST", order + "/deliver", "", {}, 409, "illegal-transition"},
        {"PUT", order + "/status", R"({"status":"PROCESSING"})", {}, 409, "illegal-transition"}};
    for (const auto* end : {"", "/status", "/timeline"}) {
        list.push_back({"GET", "/api/orders/{none}" + std::string(end), "", {}, 404, "not-found"});
        list.push_back({"GET", "/api/orders/7" + std::string(end), "", {}, 404, "not-found"});
    }
    for (const auto* end : {"", "/status", "/timeline"})
        list.push_back({"GET", order + end + "?x=1", "", {}, 422, "invalid-request", {"x"}});
    const std::vector<std::array<std::string, 3>> changes = {
        {"DELETE", "", ""},
        {"POST", "/process", ""},
        {"POST", "/ship", ""},
        {"POST", "/deliver", ""},
        {"POST", "/cancel", ""},
        {"PUT", "/status", R"({"status":"CANCELLED"})"},
        {"PATCH", "", R"({"externalRef":"R"})"}};
    for (const auto& [method, end, body] : changes) {
        list.push_back({method, "/api/orders/{none}" + end, body, {}, 404, "not-found"});
        list.push_back({method, "/api/orders/7" + end, body, {}, 404, "not-found"});
        list.push_back({method, order + end, "{", {}, 400, "malformed-request"});
        list.push_back({method, order + end + "?x=1", body, {}, 422, "invalid-request", {"x"}});
        list.push_back(
            {method, order + end, body, long_key, 422, "invalid-request", {"Idempotency-Key"}});
        list.push_back(
            {method, order + end, body, {{"if-match", "\"2\""}}, 412, "precondition-failed"});
        list.push_back(
            {method, order + end, body, {{"if-match", "W/\"1\""}}, 412, "precondition-failed"});
    }
    return list;
}

TEST(OrderApiErrors, NameEveryFaultAndWriteNothing) {
    ApiAtHand at_hand("sqlite");
    const std::string path = at_hand.placed();
    const std::string id = path.substr(path.rfind('/') + 1);
    const std::string none = at_hand.ids.next().text();
    const auto rows = [&] {
        std::size_t sum = 0;
        for (const auto* table : {"orders", "order_history", "saga_instances", "outbox_events",
                                  "processed_events", "idempotency_keys"}) {
            sum += at_hand.rows_of(table);
        }
        return sum;
    };
    const std::size_t before = rows();
    for (const Refusal& refusal : refusals()) {
        std::string target = refusal.target;
        for (const auto& [word, value] : {std::pair{"{id}", id}, std::pair{"{none}", none}}) {
            if (const auto at = target.find(word); at != std::string::npos)
                target.replace(at, std::string_view(word).size(), value);
        }
        SCOPED_TRACE(refusal.method + " " + refusal.target + " " + refusal.body);
        const auto answer = at_hand.call(refusal.method, target, refusal.body, refusal.headers);
        EXPECT_EQ(answer.status, refusal.status) << answer.body;
        EXPECT_EQ(answer.content_type, "application/problem+json");
        EXPECT_EQ(member(answer, "code"), refusal.code);
        EXPECT_EQ(member(answer, "instance"), target.substr(0, target.find('?')));
        auto expected = refusal.pointers;
        auto named = http::pointers(answer);
        std::ranges::sort(expected);
        std::ranges::sort(named);
        EXPECT_EQ(named, expected) << answer.body;
    }
    EXPECT_EQ(rows(), before);
    EXPECT_EQ(at_hand.call("GET", path).body, at_hand.call("GET", path).body);
    EXPECT_EQ(member(at_hand.call("GET", path), "status"), "PENDING");
}

// Answers no request, because its database is unavailable.
class Away final : public app::OrderStore {
public:
    std::vector<Result<app::SaveResult>> add(std::span<const app::NewOrder> orders) override {
        return {orders.size(), fail(Errc::outcome_unknown, "away")};
    }
    std::vector<Result<app::SaveResult>> update(
        std::span<const app::OrderChange> changes) override {
        return {changes.size(), fail(Errc::unavailable, "away")};
    }
    std::vector<Result<domain::Order>> find(std::span<const domain::OrderId> ids) override {
        return {ids.size(), fail(Errc::unavailable, "away")};
    }
    Result<std::vector<domain::Order>> settled(std::span<const domain::OrderId>) override {
        return away();
    }
    Result<app::Page<domain::Order, domain::OrderId>> list(const app::OrderFilter&,
                                                           std::optional<domain::OrderId>,
                                                           std::size_t) override {
        return away();
    }
    Result<app::Page<domain::Order, app::UpdatedCursor>> list_updated(
        const app::OrderFilter&, std::optional<app::UpdatedCursor>, std::size_t) override {
        return away();
    }
    Result<std::vector<app::HistoryEntry>> timeline(domain::OrderId) override { return away(); }
    Result<app::SagaOfOrder> saga(domain::SagaId) override { return away(); }
    Result<app::Page<app::SagaOfOrder, domain::SagaId>> sagas(const app::SagaFilter&,
                                                              std::optional<domain::SagaId>,
                                                              std::size_t) override {
        return away();
    }
    Result<std::vector<domain::OrderId>> claim_due(Instant, Duration, std::size_t) override {
        return away();
    }

private:
    static std::unexpected<Error> away() { return fail(Errc::unavailable, "away"); }
};

TEST(OrderApiErrors, SayWhenToTryAgainWhileTheDatabaseIsAway) {
    ApiAtHand at_hand("sqlite");
    at_hand.store = std::make_unique<Away>();
    ConfirmationWaiters confirmation_waiters(*at_hand.store, at_hand.clock);
    http::Calls calls(http::with_optional_keys(order_routes(
                          {at_hand.place_queue, at_hand.change_queue, at_hand.find_queue,
                           confirmation_waiters, at_hand.cache, *at_hand.store, at_hand.clock})),
                      [&] {
                          at_hand.place_queue.run({});
                          at_hand.change_queue.run({});
                          at_hand.find_queue.run({});
                      });
    const std::string id = at_hand.ids.next().text();
    for (const std::string& target :
         {"/api/orders/" + id, "/api/orders/" + id + "/status", "/api/orders/" + id + "/timeline",
          "/api/sagas/" + id, std::string("/api/orders"), std::string("/api/sagas")}) {
        const auto answer = calls.call("GET", target);
        EXPECT_EQ(answer.status, 503) << target;
        EXPECT_EQ(member(answer, "code"), "unavailable") << target;
        EXPECT_EQ(header(answer, "Retry-After"), "2") << target;
    }
    EXPECT_EQ(member(calls.call("DELETE", "/api/orders/" + id), "code"), "unavailable");
    for (const auto* target : {"/api/orders", "/api/orders?wait=confirmed"}) {
        EXPECT_EQ(member(calls.call("POST", target, ApiAtHand::terms()), "code"),
                  "outcome-unknown");
    }
}

TEST(OrderApiErrors, SayThatTooManyWait) {
    ApiAtHand at_hand("sqlite");
    const std::string path = at_hand.placed();
    at_hand.place_queue.close();
    at_hand.change_queue.close();
    at_hand.find_queue.close();
    for (const auto& answer :
         {at_hand.call("POST", "/api/orders", ApiAtHand::terms()), at_hand.call("DELETE", path),
          at_hand.call("GET", path), at_hand.call("GET", path + "/status")}) {
        EXPECT_EQ(answer.status, 503);
        EXPECT_EQ(member(answer, "code"), "overloaded");
        EXPECT_EQ(header(answer, "Retry-After"), "1");
    }
}

}  // namespace
}  // namespace trackops::order::adapters
