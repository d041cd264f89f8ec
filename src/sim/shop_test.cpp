#include "sim/shop.hpp"

#include <gtest/gtest.h>

namespace trackops::sim {
namespace {

using order::domain::Action;
using order::domain::Status;

class Model : public ::testing::Test {
protected:
    Model() {
        shop.stock("BUOY", 5);
        shop.asks_for("a", {{"BUOY", 3}});
    }
    std::string possible() const { return shop.orders().at("a").possible.text(); }
    Shop shop;
};

TEST_F(Model, LetsAnOrderBeConfirmedOrCancelledByItself) {
    EXPECT_EQ(possible(), "PENDING, CONFIRMED, CANCELLED");
}

TEST_F(Model, LetsAChangeHappenFromTheMomentItIsSent) {
    shop.sends("a", 1, Action::process);
    EXPECT_EQ(possible(), "PENDING, CONFIRMED, PROCESSING, CANCELLED");
}

TEST_F(Model, HoldsOnToWhatWasHeard) {
    shop.sends("a", 1, Action::process);
    EXPECT_TRUE(shop.hears("a", 1, Status::processing, 3));
    EXPECT_EQ(possible(), "PROCESSING");
    shop.sends("a", 2, Action::ship);
    EXPECT_EQ(possible(), "PROCESSING, SHIPPED");
}

TEST_F(Model, ForgetsAChangeThatWasRefused) {
    shop.sends("a", 1, Action::process);
    shop.hears_refusal("a", 1);
    shop.sends("a", 2, Action::cancel);
    EXPECT_TRUE(shop.hears("a", 2, Status::cancelled, 2));
    EXPECT_EQ(possible(), "CANCELLED");
}

TEST_F(Model, CallsAnAnswerWrongThatCannotHaveBeen) {
    shop.sends("a", 1, Action::cancel);
    ASSERT_TRUE(shop.hears("a", 1, Status::cancelled, 2));
    shop.sends("a", 2, Action::process);
    EXPECT_FALSE(shop.hears("a", 2, Status::processing, 3));
}

TEST_F(Model, KnowsWhenStockMayBeShort) {
    EXPECT_FALSE(shop.may_lack_stock("a"));
    shop.asks_for("b", {{"BUOY", 3}});
    EXPECT_TRUE(shop.may_lack_stock("a"));
    shop.asks_for("c", {{"NONE", 1}});
    EXPECT_TRUE(shop.may_lack_stock("c"));
}

TEST_F(Model, CountsAdjustmentsThatTakeStockAway) {
    shop.adjusts("A1", "BUOY", 10);
    EXPECT_FALSE(shop.may_lack_stock("a"));
    shop.adjusts("A2", "BUOY", -3);
    EXPECT_TRUE(shop.may_lack_stock("a"));
}

}  // namespace
}  // namespace trackops::sim
