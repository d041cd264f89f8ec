#include "platform/relay/relay.hpp"

#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "platform/relay/message.hpp"
#include "platform/relay/poll_source.hpp"
#include "platform/relay/relay_for_tests.hpp"

namespace trackops::relay {
namespace {

using bus::Delivery;

class RelayContract : public RelayForTests {};
INSTANTIATE_TEST_SUITE_P(Databases, RelayContract, ::testing::ValuesIn(testing::databases));

TEST_P(RelayContract, SendsAtMostOneEventAKeyInABurst) {
    outbox_.commit("a1 a2 b1 a3 b2 c1");
    run();
    EXPECT_EQ(bus_.bursts, (std::vector<std::string>{"a1 b1 c1", "a2 b2", "a3"}));
    EXPECT_EQ(relay_->status().backlog.events, 0);
    EXPECT_EQ(relay_->status().published_total, 6);
}

std::string this_many(std::size_t events) {
    std::string text;
    for (std::size_t i = 0; i < events; ++i)
        text += fmt::format("{}{} ", static_cast<char>('a' + i / 9), i % 9 + 1);
    return text;
}

TEST_P(RelayContract, GathersForLongerWhileVeryManyEventsFlow) {
    const RelayOptions options;
    const auto many = static_cast<std::size_t>(options.high_rate_per_second / 100);  // in 10 ms
    ASSERT_EQ(options.batching_delay, std::chrono::milliseconds(10));
    const auto wait_after = [&](std::size_t events, Duration since_last_read) {
        clock_.advance(since_last_read);
        outbox_.commit(this_many(events));
        EXPECT_EQ(relay_->run(Duration::zero()).done, events);
        return relay_->run(Duration::zero()).call_again_in;
    };
    EXPECT_EQ(wait_after(many - 1, options.batching_delay), options.batching_delay);
    EXPECT_EQ(wait_after(many, options.batching_delay), options.high_rate_batching_delay);
    EXPECT_EQ(wait_after(many, options.high_rate_batching_delay), options.batching_delay);
    // Events that gathered during a pause are no high rate, and neither is one large commit.
    EXPECT_EQ(wait_after(many, std::chrono::seconds(1)), options.batching_delay);
    clock_.advance(options.batching_delay);
    EXPECT_EQ(relay_->run(Duration::zero()).done, 0U);
    EXPECT_EQ(wait_after(many - 1, std::chrono::milliseconds(1)), options.batching_delay);
}

// A broker's cost is per request, so the relay batches events while many arrive.
TEST_P(RelayContract, GathersWhileManyEventsFlowAndNeverWhileFewDo) {
    const RelayOptions options;
    outbox_.commit(this_many(options.batching_threshold));
    EXPECT_EQ(relay_->run(Duration::zero()).done, options.batching_threshold);
    outbox_.commit("y1");
    const auto waiting = relay_->run(Duration::zero());
    EXPECT_EQ(waiting.done, 0U);
    EXPECT_EQ(waiting.call_again_in, options.batching_delay);
    clock_.advance(options.batching_delay);
    EXPECT_EQ(relay_->run(Duration::zero()).done, 1U);
    outbox_.commit("z1");
    EXPECT_EQ(relay_->run(Duration::zero()).done, 1U);
    EXPECT_EQ(relay_->status().backlog.events, 0);
}

TEST_P(RelayContract, HoldsTheSuccessorsOfAnEventThatDidNotArrive) {
    outbox_.commit("a1 a2 b1 b2");
    lose({"a1"});
    run(3);
    EXPECT_EQ(bus_.taken.find("a2"), std::string::npos);
    EXPECT_EQ(relay_->status().backlog.events, 4);  // nothing is confirmed before a1 is published
    EXPECT_NE(relay_->status().last_error, "");
    take_all();
    run(2);
    EXPECT_LT(bus_.taken.find("a1"), bus_.taken.find("a2"));
    EXPECT_LT(bus_.taken.find("b1"), bus_.taken.find("b2"));
    EXPECT_EQ(relay_->status().backlog.events, 0);
    EXPECT_EQ(relay_->status().last_error, "");
    EXPECT_EQ(parked(), "");
}

TEST_P(RelayContract, BacksOffWhileTheBusIsAway) {
    outbox_.commit("a1");
    lose({"a1"});
    std::vector<std::int64_t> waits;
    for (int i = 0; i < 9; ++i) {
        waits.push_back(relay_->run(Duration::zero()).call_again_in / std::chrono::milliseconds(1));
    }
    EXPECT_EQ(waits, (std::vector<std::int64_t>{20, 40, 80, 160, 320, 640, 1280, 2000, 2000}));
    chance_.set(0.5);
    EXPECT_EQ(relay_->run(Duration::zero()).call_again_in, std::chrono::milliseconds(1500));
    take_all();
    EXPECT_EQ(bus_.taken, "");
    run();
    EXPECT_EQ(bus_.taken, "a1");
}

TEST_P(RelayContract, ParksWhatTheBusRefusesAndOnlyItsKey) {
    outbox_.commit("a1 a2 b1 b2");
    refuse({"a1"});
    run();
    outbox_.commit("a3 b3");
    run();
    EXPECT_EQ(bus_.taken, "b1 b2 b3");
    EXPECT_EQ(parked(), "a1! a2 a3");
    const RelayStatus status = relay_->status();
    EXPECT_EQ(status.parked_events, 3);
    EXPECT_EQ(status.parked_keys, 1);
    EXPECT_EQ(status.backlog.events, 0);
    EXPECT_EQ(relay_->parked(0, 1).at(0).event.payload, outbox_.parse("a1").at(0).payload);
}

TEST_P(RelayContract, QueuesBehindAParkedEventAlsoAfterARestart) {
    outbox_.commit("a1");
    refuse({"a1"});
    run();
    take_all();
    restart();
    outbox_.commit("a2 b1");
    run();
    EXPECT_EQ(bus_.taken, "b1");
    EXPECT_EQ(parked(), "a1! a2");
}

TEST_P(RelayContract, PublishesARetriedEventAndItsQueueInOrder) {
    outbox_.commit("a1 a2 a3 b1");
    refuse({"a1"});
    run();
    take_all();
    EXPECT_TRUE(retry(id("a1")));
    EXPECT_EQ(parked(), "");
    outbox_.commit("a4");
    run();
    EXPECT_EQ(bus_.taken, "b1 a1 a2 a3 a4");
    EXPECT_EQ(relay_->status().parked_keys, 0);
}

TEST_P(RelayContract, KeepsWhatIsRefusedAgain) {
    outbox_.commit("a1 a2");
    refuse({"a1"});
    run();
    const auto again = retry(id("a1"));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::invalid);
    EXPECT_EQ(parked(), "a1! a2");
    EXPECT_EQ(bus_.taken, "");
}

TEST_P(RelayContract, ParksTheNextOfAQueueThatIsRefusedInTurn) {
    outbox_.commit("a1 a2 a3");
    refuse({"a1", "a2"});
    run();
    refuse({"a2"});
    EXPECT_TRUE(retry(id("a1")));
    EXPECT_EQ(parked(), "a2! a3");
    EXPECT_EQ(bus_.taken, "a1");
}

TEST_P(RelayContract, RefusesToRetryWhatWaitsOrIsNotParked) {
    outbox_.commit("a1 a2");
    refuse({"a1"});
    run();
    take_all();
    const auto waiting = retry(id("a2"));
    ASSERT_FALSE(waiting);
    EXPECT_EQ(waiting.error().code, Errc::conflict);
    EXPECT_NE(waiting.error().detail.find(id("a1").text()), std::string::npos);
    EXPECT_EQ(retry(uuid_v7(outbox::noon, 9, 9)).error().code, Errc::not_found);
    EXPECT_EQ(parked(), "a1! a2");
    EXPECT_EQ(bus_.taken, "");
}

TEST_P(RelayContract, MovesAQueueOnAfterTheBusWasAwayAndARestart) {
    outbox_.commit("a1 a2 a3");
    refuse({"a1"});
    run();
    lose({"a2"});
    EXPECT_TRUE(retry(id("a1")));
    EXPECT_EQ(parked(), "a2 a3");
    restart();
    run();
    EXPECT_EQ(parked(), "a2 a3");
    take_all();
    outbox_.commit("a4");
    run();
    EXPECT_EQ(bus_.taken, "a1 a2 a3 a4");
    EXPECT_EQ(parked(), "");
}

TEST_P(RelayContract, TimesOutARetryThatIsNotExecuted) {
    EXPECT_EQ(relay_->retry(uuid_v7(outbox::noon, 9, 9), Duration::zero()).error().code,
              Errc::timeout);
    run();  // must not execute the retry later
}

TEST_P(RelayContract, PublishesTwiceButLosesNothingWhenItDiesBeforeTheConfirm) {
    relay_.reset();
    auto dying = std::make_unique<WatchedSource>(make_poll_source(*outbox_.database));
    dying->before_confirm = [] { throw sql::Failure(sql::Fault::unavailable, "", "killed"); };
    relay_ = relay("one", std::move(dying));
    outbox_.commit("a1 a2 b1 p1 p2");
    refuse({"p1"});
    EXPECT_THROW(run(), sql::Failure);
    EXPECT_NE(relay_->status().last_error, "");
    EXPECT_EQ(parked(), "p1! p2");
    take_all();
    restart();
    run();
    EXPECT_EQ(bus_.taken, "a1 b1 a2 a1 b1 a2");
    EXPECT_EQ(parked(), "p1! p2");  // parked once and still held
}

TEST_P(RelayContract, ConfirmsNothingBeforeItsAck) {
    outbox_.commit("a1 a2");
    std::vector<std::int64_t> waiting;
    bus_.after_burst = [&] { waiting.push_back(relay_->status().backlog.events); };
    run();
    EXPECT_EQ(waiting, (std::vector<std::int64_t>{2, 2}));
}

TEST_P(RelayContract, LetsOneOfTwoRelaysWorkAndTheOtherTakeOver) {
    const auto other = relay("two");
    outbox_.commit("a1");
    run();
    other->run(Duration::zero());
    EXPECT_TRUE(relay_->status().active);
    EXPECT_FALSE(other->status().active);
    outbox_.commit("a2");
    clock_.advance(std::chrono::seconds(3));
    other->run(Duration::zero());
    EXPECT_EQ(bus_.taken, "a1");
    clock_.advance(std::chrono::seconds(2));  // the first relay is silent
    other->run(Duration::zero());
    EXPECT_TRUE(other->status().active);
    EXPECT_EQ(bus_.taken, "a1 a2");
    run();
    EXPECT_FALSE(relay_->status().active);
    EXPECT_EQ(bus_.taken, "a1 a2");
}

TEST_P(RelayContract, KeepsTheLeaseWhileItRuns) {
    const auto other = relay("two");
    run();
    for (int i = 0; i < 20; ++i) {
        clock_.advance(std::chrono::seconds(1));
        run();
        other->run(Duration::zero());
        EXPECT_FALSE(other->status().active);
    }
}

TEST_P(RelayContract, HandsTheLeaseOnAtItsEnd) {
    const auto other = relay("two");
    run();
    other->run(Duration::zero());
    EXPECT_FALSE(other->status().active);
    relay_.reset();
    other->run(Duration::zero());
    EXPECT_TRUE(other->status().active);
}

TEST_P(RelayContract, ForgetsWhatItKnewWhenItTakesTheLeaseAgain) {
    const auto other = relay("two");
    run();
    clock_.advance(std::chrono::seconds(10));
    outbox_.commit("a1 a2");
    refuse({"a1"});
    other->run(Duration::zero());
    take_all();
    clock_.advance(std::chrono::seconds(10));
    outbox_.commit("a3 b1");
    run();
    EXPECT_EQ(bus_.taken, "b1");
    EXPECT_EQ(parked(), "a1! a2 a3");
}

// The first relay's lease is taken over after it has parked the events and before it confirms them.
// By then the second relay has the lease but not yet the source.
TEST_P(RelayContract, KnowsWhatWasParkedBeforeThePlaceThatItReadsFrom) {
    relay_.reset();
    auto watched = std::make_unique<WatchedSource>(make_poll_source(*outbox_.database));
    WatchedSource& source = *watched;
    source.may_claim = false;
    const auto other = relay("two", std::move(watched));
    auto slow = std::make_unique<WatchedSource>(make_poll_source(*outbox_.database));
    slow->before_confirm = [&] {
        clock_.advance(std::chrono::seconds(10));
        other->run(Duration::zero());
    };
    relay_ = relay("one", std::move(slow));
    outbox_.commit("a1 a2");
    refuse({"a1"});
    run(2);
    EXPECT_FALSE(relay_->status().active);
    source.may_claim = true;
    outbox_.commit("a3 b1");
    other->run(Duration::zero());
    EXPECT_EQ(bus_.taken, "b1");
    EXPECT_EQ(parked(), "a1! a2 a3");
}

// Otherwise the relay that has the lease would not know the parked key.
TEST_P(RelayContract, ParksNothingOnceAnotherHasTheLease) {
    const auto other = relay("two");
    outbox_.commit("a1");
    bool is_taken_over = false;
    bus_.script = [&](const std::string&) {
        if (std::exchange(is_taken_over, true)) return Delivery::acknowledged;
        clock_.advance(std::chrono::seconds(10));
        other->run(Duration::zero());
        return Delivery::refused;
    };
    run(2);
    EXPECT_EQ(bus_.taken, "a1");
    EXPECT_EQ(parked(), "");
    EXPECT_FALSE(relay_->status().active);
}

TEST_P(RelayContract, SendsNothingTwiceBecauseTheBusTookLong) {
    outbox_.commit("a1 b1 c1");
    bus_.script = [&](const std::string& name) {
        if (name != "b1") return Delivery::acknowledged;
        clock_.advance(std::chrono::seconds(10));
        return Delivery::unavailable;
    };
    run(3);
    EXPECT_EQ(bus_.taken, "a1 c1");
    take_all();
    run();
    EXPECT_EQ(bus_.taken, "a1 c1 b1");
    EXPECT_EQ(relay_->status().backlog.events, 0);
}

TEST_P(RelayContract, StopsWhilePaused) {
    relay_->pause();
    outbox_.commit("a1");
    run(2);
    EXPECT_EQ(bus_.taken, "");
    EXPECT_TRUE(relay_->status().paused);
    EXPECT_EQ(relay_->status().backlog.events, 1);
    relay_->resume();
    run();
    EXPECT_EQ(bus_.taken, "a1");
}

TEST_P(RelayContract, PollsTightlyWhileEventsFlowAndAfterAHint) {
    const auto next = [this] {
        return relay_->run(Duration::zero()).call_again_in / std::chrono::milliseconds(1);
    };
    for (int i = 0; i < 12; ++i) next();
    EXPECT_EQ(next(), 50);
    relay_->wake();
    EXPECT_EQ(next(), 1);
    EXPECT_EQ(next(), 2);
    outbox_.commit("a1");
    EXPECT_EQ(next(), 0);
    EXPECT_EQ(next(), 1);
}

TEST_P(RelayContract, ReadsNoMoreWhenTooMuchIsParked) {
    relay_.reset();
    relay_ = std::make_unique<Relay>(*outbox_.database, make_poll_source(*outbox_.database), bus_,
                                     clock_, RelayOptions{.holder = "one", .parked_max = 2},
                                     outbox_.metrics);
    refuse({"a1"});
    outbox_.commit("a1 a2");
    run();
    outbox_.commit("b1");
    run(2);
    EXPECT_EQ(bus_.taken, "");
    EXPECT_NE(relay_->status().last_error, "");
    EXPECT_EQ(relay_->status().backlog.events, 1);
}

TEST_P(RelayContract, ShowsItsNumbersWhenSampled) {
    outbox_.commit("a1 a2 b1");
    refuse({"a1"});
    run();
    outbox_.commit("b2");
    clock_.advance(std::chrono::seconds(3));
    EXPECT_DOUBLE_EQ(relay_->status().events_per_second, 0.1);
    relay_->sample();
    const std::string text = outbox_.metrics.prometheus_text();
    for (const auto* line :
         {"trackops_relay_published_total{source=\"/trackops/orders\"} 1",
          "trackops_relay_backlog_events{source=\"/trackops/orders\"} 1",
          "trackops_relay_oldest_event_age_seconds{source=\"/trackops/orders\"} 3",
          "trackops_relay_parked_keys{source=\"/trackops/orders\"} 1"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
    }
}

TEST(Message, CarriesTheEventAsCloudEvent) {
    outbox::Event event = outbox::OutboxFixture::event('a', 3, 7, {1'700'000'000'123'456});
    event.traceparent = "00-aa-bb-01";
    const bus::OutgoingMessage message = to_message(event, "/trackops/orders");
    EXPECT_EQ(message.topic, "ORDER_CREATED");
    EXPECT_EQ(message.key, event.key.text());
    EXPECT_EQ(message.value, event.payload);
    const std::vector<bus::Header> expected = {{"ce_specversion", "1.0"},
                                               {"ce_id", event.id.text()},
                                               {"ce_source", "/trackops/orders"},
                                               {"ce_type", "ORDER_CREATED"},
                                               {"ce_time", "2023-11-14T22:13:20.123456Z"},
                                               {"ce_subject", event.key.text()},
                                               {"ce_sequence", "3"},
                                               {"content-type", "application/json"},
                                               {"ce_correlationid", "c"},
                                               {"ce_causationid", "p"},
                                               {"traceparent", "00-aa-bb-01"}};
    EXPECT_EQ(message.headers, expected);
    event.tracestate = "x=1";
    event.correlation_id = "";
    const auto headers = to_message(event, "/s").headers;
    EXPECT_EQ(headers.back(), (bus::Header{"tracestate", "x=1"}));
    EXPECT_EQ(headers.size(), expected.size());
}

}  // namespace
}  // namespace trackops::relay
