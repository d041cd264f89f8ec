#include "order/domain/order.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace trackops::order::domain {
namespace {

// Rows: the status before. Columns: the action. "-": the action is refused.
constexpr std::string_view life = R"(
            confirm    process     ship     deliver    cancel
PENDING     CONFIRMED  -           -        -          CANCELLED
CONFIRMED   -          PROCESSING  -        -          CANCELLED
PROCESSING  -          -           SHIPPED  -          CANCELLED
SHIPPED     -          -           -        DELIVERED  -
DELIVERED   -          -           -        -          -
CANCELLED   -          -           -        -          -
)";

TEST(OrderStatus, AnswersEveryPairAsTheTableSays) {
    std::istringstream rows{std::string(life)};
    std::vector<std::string> header(actions.size());
    for (std::string& word : header) rows >> word;
    for (std::size_t i = 0; i < actions.size(); ++i) EXPECT_EQ(header[i], name_of(actions[i]));
    int pairs = 0;
    for (const Status from : statuses) {
        std::string name;
        rows >> name;
        EXPECT_EQ(name, name_of(from));
        for (const Action action : actions) {
            std::string expected;
            rows >> expected;
            const auto to = next(from, action);
            EXPECT_EQ(to ? name_of(*to) : "-", expected) << name << " " << name_of(action);
            ++pairs;
        }
    }
    EXPECT_EQ(pairs, 30);
}

TEST(OrderStatus, IsFoundByItsName) {
    for (const Status status : statuses) EXPECT_EQ(status_named(name_of(status)), status);
    EXPECT_FALSE(status_named("pending"));
    EXPECT_EQ(action_to(Status::cancelled), Action::cancel);
    EXPECT_FALSE(action_to(Status::pending));
}

OrderTerms draft_of(std::vector<Line> items) {
    OrderTerms terms;
    terms.currency = "GBP";
    terms.items = std::move(items);
    return terms;
}

TEST(OrderTotal, SumsLinesAndShipping) {
    OrderTerms terms = draft_of({{"a", {}, 2, 255}, {"a", {}, 1, 100}});
    terms.shipping_amount_minor = 390;
    EXPECT_EQ(total_of(terms), 2 * 255 + 100 + 390);
}

TEST(OrderTotal, IsCheckedAgainstTheClients) {
    OrderTerms terms = draft_of({{"a", {}, 2, 255}});
    terms.total_amount_minor = 510;
    EXPECT_EQ(total_of(terms), 510);
    terms.total_amount_minor = 511;
    ASSERT_FALSE(total_of(terms));
    EXPECT_EQ(total_of(terms).error().fields.at(0).pointer, "/totalAmount");
}

TEST(OrderTotal, SaysWhichLineDoesNotFit) {
    const OrderTerms terms = draft_of({{"a", {}, 1, 1}, {"b", {}, max_quantity, max_amount_minor}});
    ASSERT_FALSE(total_of(terms));
    EXPECT_EQ(total_of(terms).error().fields.at(0).pointer, "/items/1");
    const OrderTerms sum = draft_of({{"a", {}, 1, max_amount_minor}, {"b", {}, 1, 1}});
    ASSERT_FALSE(total_of(sum));
    EXPECT_EQ(total_of(sum).error().fields.at(0).pointer, "/items");
}

}  // namespace
}  // namespace trackops::order::domain
