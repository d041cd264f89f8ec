// POST /api/orders/bulk without a server.
#include "order/adapters/bulk.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "order/adapters/api_at_hand_test.hpp"

namespace trackops::order::adapters {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr std::string_view path = "/api/orders/bulk";

class OrderBulk : public ::testing::Test {
protected:
    // An order with its key as a line.
    static std::string line(std::string_view key, int quantity = 2) {
        return fmt::format(R"({{"idempotencyKey":"{}",{})", key,
                           ApiAtHand::terms("A", quantity).substr(1));
    }
    std::vector<std::string> outcomes(const std::string& body, std::string_view query = "") {
        const auto answer = at_hand.call("POST", fmt::format("{}{}", path, query), body);
        EXPECT_EQ(answer.status, 200) << answer.body;
        EXPECT_EQ(answer.content_type, "application/x-ndjson");
        std::vector<std::string> lines;
        std::istringstream text(answer.body);
        for (std::string one; std::getline(text, one);) lines.push_back(one);
        return lines;
    }
    static std::string id_in(const std::string& outcome) {
        return outcome.substr(outcome.find("\"id\":\"") + 6, 36);
    }

    ApiAtHand at_hand{"sqlite"};
};

TEST_F(OrderBulk, PlacesAnOrderForEachLineThatMay) {
    const auto seen =
        outcomes(line("k1") + "\r\n\n" + ApiAtHand::terms() + "\nnonsense\n" + line("k2", 0) +
                 "\n" + line(std::string(300, 'k')) + "\n" + line("k3"));
    ASSERT_EQ(seen.size(), 6u);
    EXPECT_THAT(
        seen[0],
        MatchesRegex(
            R"(\{"line":1,"idempotencyKey":"k1","status":201,"id":"[-0-9a-f]{36}","version":1\})"));
    EXPECT_THAT(seen[1],
                AllOf(HasSubstr(R"({"line":3,"status":428,)"), HasSubstr("idempotencyKey")));
    EXPECT_THAT(seen[2], HasSubstr(R"({"line":4,"status":400,"code":"malformed-request")"));
    EXPECT_THAT(seen[3], AllOf(HasSubstr(R"({"line":5,"idempotencyKey":"k2","status":422,)"),
                               HasSubstr(R"("pointer":"/items/0/quantity")")));
    EXPECT_THAT(seen[4], HasSubstr(R"({"line":6,"status":4)"));
    EXPECT_THAT(seen[5], HasSubstr(R"({"line":7,"idempotencyKey":"k3","status":201)"));
    EXPECT_EQ(at_hand.rows_of("orders"), 2u);
    EXPECT_EQ(at_hand.call("GET", "/api/orders/" + id_in(seen[0])).status, 200);
}

TEST_F(OrderBulk, PlacesARepeatedLineOnce) {
    const auto first = outcomes(line("k1") + "\n");
    const auto again = outcomes(line("k1") + "\r\n" + line("k1", 3) + "\n");
    ASSERT_EQ(again.size(), 2u);
    EXPECT_EQ(again[0], R"({"line":1,"idempotencyKey":"k1","status":201,"id":")" +
                            id_in(first.at(0)) + R"(","replayed":true})");
    EXPECT_THAT(again[1], HasSubstr(R"("status":422,"code":"idempotency-key-reused")"));
    EXPECT_EQ(at_hand.rows_of("orders"), 1u);
}

TEST_F(OrderBulk, StopsAtTheFirstRefusalIfAsked) {
    const auto seen =
        outcomes(line("k1") + "\n" + line("k1", 3) + "\n" + line("k2") + "\n", "?errorPolicy=stop");
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_THAT(seen[1], HasSubstr(R"("status":422)"));
    EXPECT_EQ(at_hand.rows_of("orders"), 1u) << "nothing behind the refused line has an effect";
    EXPECT_EQ(outcomes(line("k1") + "\n" + line("k1", 3) + "\n" + line("k3") + "\n",
                       "?errorPolicy=ignore")
                  .size(),
              3u);
    EXPECT_EQ(at_hand.call("POST", fmt::format("{}?errorPolicy=maybe", path), "").status, 422);
    EXPECT_EQ(at_hand.call("POST", fmt::format("{}?x=1", path), "").status, 422);
}

TEST_F(OrderBulk, TakesMoreLinesThanATransaction) {
    std::string body;
    for (std::size_t i = 0; i < 2 * bulk_lines_max + 1; ++i)
        body += line(fmt::format("k{}", i)) + "\n";
    EXPECT_EQ(outcomes(body).size(), 2 * bulk_lines_max + 1);
    EXPECT_EQ(at_hand.rows_of("orders"), 2 * bulk_lines_max + 1);
}

TEST_F(OrderBulk, AnswersTheLinesThatTheQueueDoesNotTake) {
    at_hand.place_queue.close();
    const auto seen = outcomes(line("k1") + "\n");
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_THAT(seen[0], HasSubstr(R"("status":503,"code":"overloaded")"));
}

}  // namespace
}  // namespace trackops::order::adapters
