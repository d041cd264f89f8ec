#include "sim/reference_model.hpp"

#include <gtest/gtest.h>

namespace trackops::sim {
namespace {

using order::domain::Action;
using order::domain::Status;

class Model : public ::testing::Test {
protected:
    Model() {
        model.stock("BUOY", 5);
        model.order_requested("a", {{"BUOY", 3}});
    }
    std::string possible() const { return model.orders().at("a").possible.text(); }
    ReferenceModel model;
};

TEST_F(Model, LetsAnOrderBeConfirmedOrCancelledByItself) {
    EXPECT_EQ(possible(), "PENDING, CONFIRMED, CANCELLED");
}

TEST_F(Model, LetsAChangeHappenFromTheMomentItIsSent) {
    model.change_sent("a", 1, Action::process);
    EXPECT_EQ(possible(), "PENDING, CONFIRMED, PROCESSING, CANCELLED");
}

TEST_F(Model, KeepsConfirmedStatuses) {
    model.change_sent("a", 1, Action::process);
    EXPECT_TRUE(model.change_confirmed("a", 1, Status::processing, 3));
    EXPECT_EQ(possible(), "PROCESSING");
    model.change_sent("a", 2, Action::ship);
    EXPECT_EQ(possible(), "PROCESSING, SHIPPED");
}

TEST_F(Model, ForgetsAChangeThatWasRefused) {
    model.change_sent("a", 1, Action::process);
    model.change_refused("a", 1);
    model.change_sent("a", 2, Action::cancel);
    EXPECT_TRUE(model.change_confirmed("a", 2, Status::cancelled, 2));
    EXPECT_EQ(possible(), "CANCELLED");
}

TEST_F(Model, CallsAnAnswerWrongThatCannotHaveBeen) {
    model.change_sent("a", 1, Action::cancel);
    ASSERT_TRUE(model.change_confirmed("a", 1, Status::cancelled, 2));
    model.change_sent("a", 2, Action::process);
    EXPECT_FALSE(model.change_confirmed("a", 2, Status::processing, 3));
}

TEST_F(Model, KnowsWhenStockMayBeShort) {
    EXPECT_FALSE(model.may_be_out_of_stock("a"));
    model.order_requested("b", {{"BUOY", 3}});
    EXPECT_TRUE(model.may_be_out_of_stock("a"));
    model.order_requested("c", {{"NONE", 1}});
    EXPECT_TRUE(model.may_be_out_of_stock("c"));
}

TEST_F(Model, CountsAdjustmentsThatTakeStockAway) {
    model.adjustment_sent("A1", "BUOY", 10);
    EXPECT_FALSE(model.may_be_out_of_stock("a"));
    model.adjustment_sent("A2", "BUOY", -3);
    EXPECT_TRUE(model.may_be_out_of_stock("a"));
}

}  // namespace
}  // namespace trackops::sim
