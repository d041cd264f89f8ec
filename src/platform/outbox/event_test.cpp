#include "platform/outbox/event.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "platform/outbox/outbox_for_tests.hpp"
#include "platform/relay/poll_source.hpp"

namespace trackops::outbox {
namespace {

class EventContract : public ::testing::TestWithParam<std::string> {
protected:
    OutboxFixture outbox_{GetParam()};
    const std::unique_ptr<relay::Source> source_ = relay::make_poll_source(*outbox_.database);
};
INSTANTIATE_TEST_SUITE_P(Databases, EventContract, ::testing::ValuesIn(testing::databases));

TEST_P(EventContract, ComesBackAsItWasAppended) {
    Event event = OutboxFixture::event('a', 7, 1);
    event.payload = R"({"text": "\"\\ ü \u0001", "n": 9007199254740993})";
    event.correlation_id = R"(c {"'\,} )";
    event.causation_id = "";
    event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    event.tracestate = "a=1,b=2";
    event.occurred_at = {1'700'000'000'123'456};
    const auto tx = outbox_.database->begin(sql::Access::write);
    append(*tx, std::span(&event, 1));
    tx->commit();
    const auto read = source_->read(10);
    ASSERT_EQ(read.size(), 1U);
    const Event& back = read[0].event;
    EXPECT_EQ(back.id, event.id);
    EXPECT_EQ(back.type, event.type);
    EXPECT_EQ(back.key, event.key);
    EXPECT_EQ(back.sequence, 7);
    EXPECT_EQ(back.correlation_id, event.correlation_id);
    EXPECT_EQ(back.causation_id, "");
    EXPECT_EQ(back.traceparent, event.traceparent);
    EXPECT_EQ(back.tracestate, event.tracestate);
    EXPECT_EQ(back.occurred_at, event.occurred_at);
    EXPECT_NE(back.payload.find("9007199254740993"), std::string::npos) << back.payload;
    EXPECT_NE(back.payload.find("ü"), std::string::npos) << back.payload;
}

TEST_P(EventContract, DrawsPositionsInTheOrderGiven) {
    std::vector<Event> events;
    for (int i = 1; i <= 500; ++i) {
        events.push_back(OutboxFixture::event('a', i, static_cast<std::uint64_t>(1000 - i)));
    }
    const auto tx = outbox_.database->begin(sql::Access::write);
    append(*tx, events);
    tx->commit();
    const auto read = source_->read(1000);
    ASSERT_EQ(read.size(), 500U);
    EXPECT_TRUE(std::ranges::is_sorted(read, {}, &StoredEvent::position));
    EXPECT_TRUE(std::ranges::is_sorted(
        read, {}, [](const StoredEvent& stored) { return stored.event.sequence; }));
}

TEST_P(EventContract, LeavesNothingOfARolledBackTransaction) {
    {
        const auto tx = outbox_.database->begin(sql::Access::write);
        append(*tx, outbox_.parse("a1"));
        tx->flush();
    }
    EXPECT_EQ(outbox_.number("SELECT count(*) FROM outbox_events"), 0);
}

TEST_P(EventContract, ClaimsAMessageOnceAConsumer) {
    const Uuid one = uuid_v7(noon, 0, 1);
    const Uuid two = uuid_v7(noon, 0, 2);
    const std::vector<Claim> first = {{one, "x"}, {two, "x"}};
    const std::vector<Claim> second = {{one, "x"}, {one, "y"}, {two, "x"}};
    {
        const auto tx = outbox_.database->begin(sql::Access::write);
        const sql::Statement& fresh = claim(*tx, first, noon);
        tx->commit();
        EXPECT_EQ(fresh.rows().size(), 2U);
    }
    const auto tx = outbox_.database->begin(sql::Access::write);
    const sql::Statement& handled = find_claimed(*tx, second);
    tx->flush();
    EXPECT_EQ(handled.rows().size(), 2U);
    const sql::Statement& fresh = claim(*tx, second, noon);
    tx->flush();
    ASSERT_EQ(fresh.rows().size(), 1U);
    EXPECT_EQ(fresh.rows()[0].uuid(0), one);
    EXPECT_EQ(fresh.rows()[0].text(1), "y");
}

}  // namespace
}  // namespace trackops::outbox
