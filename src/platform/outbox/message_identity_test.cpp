#include "platform/outbox/message_identity.hpp"

#include <gtest/gtest.h>

namespace trackops::outbox {
namespace {

TEST(MessageIdentity, OfAUuidIsTheUuidInEitherCase) {
    const auto lower = identity_of("/a", "018bcfe5-687b-7abc-8123-456789abcdef");
    const auto upper = identity_of("/b", "018BCFE5-687B-7ABC-8123-456789ABCDEF");
    ASSERT_TRUE(lower && upper);
    EXPECT_EQ(lower->claim, upper->claim);
    EXPECT_EQ(lower->claim.text(), "018bcfe5-687b-7abc-8123-456789abcdef");
    EXPECT_EQ(lower->name, lower->claim.text());
}

TEST(MessageIdentity, OfAnotherTextIsTheSameEachTimeAndBelongsToItsSource) {
    const auto first = identity_of("/shop", "order 4711");
    const auto again = identity_of("/shop", "order 4711");
    const auto other = identity_of("/shop", "order 4712");
    const auto elsewhere = identity_of("/shop2", "order 4711");
    ASSERT_TRUE(first && again && other && elsewhere);
    EXPECT_EQ(first->claim, again->claim);
    EXPECT_NE(first->claim, other->claim);
    EXPECT_NE(first->claim, elsewhere->claim);
    EXPECT_NE(identity_of("ab", "c")->claim, identity_of("a", "bc")->claim);
    EXPECT_EQ(first->name, "order 4711");
    EXPECT_EQ(first->claim.text()[14], '8') << first->claim.text();
}

TEST(MessageIdentity, IsNamedByItsClaimWhenItIsLongOrNotPrintable) {
    for (const std::string& id :
         {std::string(129, 'x'), std::string("a\0b", 3), std::string("\xff")}) {
        const auto identity = identity_of("/shop", id);
        ASSERT_TRUE(identity);
        EXPECT_EQ(identity->name, identity->claim.text());
    }
    EXPECT_FALSE(identity_of("/shop", ""));
}

}  // namespace
}  // namespace trackops::outbox
