#include "platform/relay/parked_events.hpp"

#include <gtest/gtest.h>

#include "platform/outbox/outbox_for_tests.hpp"
#include "platform/relay/lease.hpp"

namespace trackops::relay {
namespace {

class ParkedEventsTable : public ::testing::TestWithParam<std::string> {
protected:
    using LeaseState = Lease::LeaseState;

    // Returns events to park, given as "a1 a2".
    std::vector<ParkedEvent> to_park(std::string_view events) {
        std::vector<ParkedEvent> all;
        for (outbox::Event& event : outbox_.parse(events)) {
            all.push_back({++positions_, std::move(event), "refused", outbox::noon});
        }
        return all;
    }
    std::string parked() {
        std::string text;
        for (const ParkedEvent& event : events_.after(0, 100)) {
            if (!text.empty()) text += ' ';
            text += outbox::OutboxFixture::name(event.event);
        }
        return text;
    }

    outbox::OutboxFixture outbox_{GetParam()};
    testing::FakeClock clock_{outbox::noon};
    Lease one_{*outbox_.database, clock_, "one", std::chrono::seconds(4)};
    Lease two_{*outbox_.database, clock_, "two", std::chrono::seconds(4)};
    relay::ParkedEvents events_{*outbox_.database};

private:
    std::int64_t positions_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Databases, ParkedEventsTable, ::testing::ValuesIn(testing::databases));

TEST_P(ParkedEventsTable, TakesEventsOnlyFromTheHolderOfTheLease) {
    const auto events = to_park("a1 a2");
    EXPECT_EQ(events_.add(events, "one"), std::nullopt) << "nobody holds the lease";
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(events_.add(events, "one"), std::nullopt);
    EXPECT_EQ(parked(), "");
    EXPECT_EQ(events_.add(events, "two"), 2U);
    EXPECT_EQ(parked(), "a1 a2");
}

// The clock of the former holder does not matter: the row names another relay.
TEST_P(ParkedEventsTable, TakesNothingFromARelayWhoseLeaseWasTakenOver) {
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(events_.add(to_park("a1"), "one"), 1U);
    clock_.advance(std::chrono::seconds(4));
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(events_.add(to_park("b1"), "one"), std::nullopt);
    EXPECT_EQ(parked(), "a1");
}

// An expired lease that nobody took is still held.
TEST_P(ParkedEventsTable, TakesEventsFromAHolderWhoseLeaseHasExpired) {
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    clock_.advance(std::chrono::hours(1));
    EXPECT_EQ(events_.add(to_park("a1"), "one"), 1U);
    EXPECT_EQ(parked(), "a1");
}

TEST_P(ParkedEventsTable, LosesAndChangesNothingThroughAnotherThanTheHolderOfTheLease) {
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    const auto events = to_park("a1");
    events_.add(events, "one");
    const std::int64_t position = events.front().position;
    const Instant later = outbox::noon + std::chrono::seconds(1);
    EXPECT_FALSE(events_.mark_refused(position, "again", later, "two"));
    EXPECT_FALSE(events_.remove(position, "two", {}, later));
    ASSERT_EQ(parked(), "a1");
    EXPECT_EQ(events_.after(0, 1).front().reason, "refused");
    EXPECT_TRUE(events_.mark_refused(position, "again", later, "one"));
    EXPECT_EQ(events_.after(0, 1).front().reason, "again");
    EXPECT_TRUE(events_.remove(position, "one", {}, later));
    EXPECT_EQ(parked(), "");
}

TEST_P(ParkedEventsTable, CountsAnEventThatIsParkedAlreadyAsNotNew) {
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    auto events = to_park("a1");
    EXPECT_EQ(events_.add(events, "one"), 1U);
    events.push_back(to_park("a2").front());
    EXPECT_EQ(events_.add(events, "one"), 1U);
    EXPECT_EQ(parked(), "a1 a2");
}

}  // namespace
}  // namespace trackops::relay
