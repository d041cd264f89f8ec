// POST /api/orders?wait=confirmed: the answer waits for inventory's reply.
#include <gtest/gtest.h>

#include "order/adapters/api_at_hand_test.hpp"

namespace trackops::order::adapters {
namespace {

using http::header;
using http::Headers;
using http::member;

class OrderApiWait : public ::testing::Test {
protected:
    std::shared_ptr<http::Exchange> place_and_wait(Headers headers = {},
                                                   std::string_view query = "?wait=confirmed") {
        return at_hand.calls.send("POST", fmt::format("/api/orders{}", query), ApiAtHand::terms(),
                                  std::move(headers));
    }
    std::string newest() {
        return "/api/orders/" + at_hand.store->list({}, {}, 1)->items[0].id.text();
    }
    void pass(Duration time) {
        at_hand.clock.advance(time);
        at_hand.confirmation_waiters.run({});
    }

    ApiAtHand at_hand{"sqlite"};
};

TEST_F(OrderApiWait, IsAnsweredWhenInventoryHasSpoken) {
    for (const auto& [answer, status] :
         {std::pair{domain::ReservationOutcome::reserved, "CONFIRMED"},
          std::pair{domain::ReservationOutcome::refused, "CANCELLED"}}) {
        const auto waiting = place_and_wait();
        EXPECT_FALSE(waiting->answer);
        const std::string path = newest();
        at_hand.settle(path, answer);
        pass(ConfirmationWaiters::poll_interval);
        ASSERT_TRUE(waiting->answer);
        EXPECT_EQ(waiting->answer->status, 201);
        EXPECT_EQ(member(*waiting->answer, "status"), status);
        EXPECT_EQ(header(*waiting->answer, "ETag"), "\"2\"");
        EXPECT_EQ(header(*waiting->answer, "Location"), path);
        EXPECT_EQ(header(*waiting->answer, "Idempotency-Replayed"), "");
    }
}

// A client that was answered CONFIRMED must not read PENDING afterwards.
TEST_F(OrderApiWait, RemembersWhatWasWaitedFor) {
    const auto waiting = place_and_wait();
    const std::string path = newest();
    EXPECT_EQ(member(at_hand.call("GET", path), "status"), "PENDING");
    at_hand.settle(path, domain::ReservationOutcome::reserved);
    EXPECT_EQ(member(at_hand.call("GET", path), "status"), "PENDING") << "no longer a hint";
    pass(ConfirmationWaiters::poll_interval);
    ASSERT_TRUE(waiting->answer);
    const auto found = at_hand.call("GET", path);
    EXPECT_EQ(found.body, waiting->answer->body);
    EXPECT_EQ(header(found, "ETag"), header(*waiting->answer, "ETag"));
    EXPECT_EQ(member(at_hand.call("GET", path + "/status"), "status"), "CONFIRMED");
}

TEST_F(OrderApiWait, IsAnsweredAsWithoutItWhenTheTimeIsUp) {
    for (const auto& [headers, query, seconds] :
         {std::tuple{Headers{}, "?wait=confirmed", 5},
          std::tuple{Headers{{"prefer", "wait=2"}}, "", 2},
          std::tuple{Headers{{"prefer", "wait=9"}}, "", 5}}) {
        const auto waiting = place_and_wait(headers, query);
        const std::string path = newest();
        pass(std::chrono::seconds(seconds) - Duration(1));
        EXPECT_FALSE(waiting->answer) << seconds;
        pass(Duration(1));
        ASSERT_TRUE(waiting->answer) << seconds;
        EXPECT_EQ(waiting->answer->status, 201);
        EXPECT_EQ(member(*waiting->answer, "status"), "PENDING");
        EXPECT_EQ(header(*waiting->answer, "ETag"), "\"1\"");
        EXPECT_EQ(header(*waiting->answer, "Location"), path);
    }
}

TEST_F(OrderApiWait, WaitsAlsoForAnOrderThatItsKeyMadeBefore) {
    const Headers key = {{"idempotency-key", "k"}};
    const auto first = at_hand.call("POST", "/api/orders", ApiAtHand::terms(), key);
    const auto in_vain = place_and_wait(key);
    EXPECT_FALSE(in_vain->answer);
    pass(std::chrono::seconds(5));
    ASSERT_TRUE(in_vain->answer);
    EXPECT_EQ(in_vain->answer->body, first.body);
    EXPECT_EQ(header(*in_vain->answer, "ETag"), "\"1\"");
    EXPECT_EQ(header(*in_vain->answer, "Location"), header(first, "Location"));
    EXPECT_EQ(header(*in_vain->answer, "Idempotency-Replayed"), "true");

    const auto waiting = place_and_wait(key);
    at_hand.settle(header(first, "Location"), domain::ReservationOutcome::reserved);
    pass(ConfirmationWaiters::poll_interval);
    ASSERT_TRUE(waiting->answer);
    EXPECT_EQ(waiting->answer->status, 201);
    EXPECT_EQ(member(*waiting->answer, "status"), "CONFIRMED");
    EXPECT_EQ(header(*waiting->answer, "Location"), header(first, "Location"));
    EXPECT_EQ(header(*waiting->answer, "Idempotency-Replayed"), "true");
    EXPECT_EQ(at_hand.rows_of("orders"), 1);
}

TEST_F(OrderApiWait, IsAlsoAskedOfAnOrderThatThereIs) {
    const std::string path =
        header(at_hand.call("POST", "/api/orders", ApiAtHand::terms()), "Location");
    const auto in_vain = at_hand.calls.send("GET", path + "?wait=confirmed&timeout=2", "");
    EXPECT_FALSE(in_vain->answer);
    pass(std::chrono::seconds(2));
    ASSERT_TRUE(in_vain->answer);
    EXPECT_EQ(in_vain->answer->status, 200);
    EXPECT_EQ(member(*in_vain->answer, "status"), "PENDING");

    const auto waiting = at_hand.calls.send("GET", path + "?wait=confirmed", "");
    EXPECT_FALSE(waiting->answer);
    at_hand.settle(path, domain::ReservationOutcome::reserved);
    pass(ConfirmationWaiters::poll_interval);
    ASSERT_TRUE(waiting->answer);
    EXPECT_EQ(waiting->answer->status, 200);
    EXPECT_EQ(member(*waiting->answer, "status"), "CONFIRMED");
    EXPECT_EQ(header(*waiting->answer, "ETag"), "\"2\"");
    EXPECT_EQ(member(at_hand.call("GET", path + "?wait=confirmed"), "status"), "CONFIRMED");
    EXPECT_EQ(at_hand.call("GET", path + "?wait=shipped").status, 422);
}

TEST_F(OrderApiWait, IsAnsweredAtOnceWhenTheOrderIsRefused) {
    const auto refused = at_hand.calls.send("POST", "/api/orders?wait=confirmed", "{}");
    ASSERT_TRUE(refused->answer);
    EXPECT_EQ(refused->answer->status, 422);
    const Headers key = {{"idempotency-key", "k"}};
    ASSERT_EQ(at_hand.call("POST", "/api/orders", ApiAtHand::terms("B"), key).status, 201);
    const auto reused = place_and_wait(key);
    ASSERT_TRUE(reused->answer);
    EXPECT_EQ(member(*reused->answer, "code"), "idempotency-key-reused");
}

}  // namespace
}  // namespace trackops::order::adapters
