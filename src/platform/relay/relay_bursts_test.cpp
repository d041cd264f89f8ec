// Each event of a burst has its own delivery result, including the last one.
#include <gtest/gtest.h>

#include "platform/relay/relay_for_tests.hpp"

namespace trackops::relay {
namespace {

using bus::Delivery;

class Bursts : public RelayForTests {
protected:
    void answer(Delivery delivery, const std::string& to) {
        bus_.script = [=](const std::string& name) {
            return name == to ? delivery : Delivery::acknowledged;
        };
    }
    // Returns the events that the bus has taken since the last call.
    std::string taken() { return std::exchange(bus_.taken, ""); }
};
INSTANTIATE_TEST_SUITE_P(Databases, Bursts, ::testing::ValuesIn(testing::databases));

struct Case {
    std::string_view events;  // a burst in which one event fails
    std::string failed;
    std::string_view others;
};
const std::vector<Case> cases = {
    {"a1 b1 c1", "c1", "a1 b1"}, {"a2 b2 c2", "b2", "a2 c2"},
    {"a3 b3 c3", "a3", "b3 c3"}, {"a4", "a4", ""},
    {"a5 b5", "b5", "a5"},
};

TEST_P(Bursts, AreSmallWhileMemoryIsShort) {
    runtime::Budget budget(1000, outbox_.metrics);
    auto source = std::make_unique<WatchedSource>(make_poll_source(*outbox_.database));
    WatchedSource& watched = *source;
    relay_.reset();
    relay_ =
        std::make_unique<Relay>(*outbox_.database, std::move(source), bus_, clock_,
                                RelayOptions{.holder = "one", .budget = &budget}, outbox_.metrics);
    outbox_.commit("a1 b1");
    run();
    EXPECT_EQ(watched.asked_for, std::vector<std::size_t>{1024});
    EXPECT_EQ(budget.used(), 0u) << "what is published is no longer counted";
    lose({"a2"});
    outbox_.commit("a2 b2");
    run();
    EXPECT_GT(budget.used(), 0u) << "what waits is";
    take_all();
    budget.take_anyway(runtime::Spending::bodies, 1000);
    run(2);
    EXPECT_EQ(watched.asked_for.back(), 16u);
    EXPECT_EQ(relay_->status().backlog.events, 0);
    EXPECT_EQ(budget.used(), 1000u);
}

TEST_P(Bursts, OfLargeEventsHalveTheNextRead) {
    auto source = std::make_unique<WatchedSource>(make_poll_source(*outbox_.database));
    WatchedSource& watched = *source;
    relay_.reset();
    relay_ = std::make_unique<Relay>(*outbox_.database, std::move(source), bus_, clock_,
                                     RelayOptions{.holder = "one", .batch_bytes_max = 1},
                                     outbox_.metrics);
    outbox_.commit("a1 b1 c1 d1");
    run();
    outbox_.commit("a2 b2 c2 d2");
    run(3);
    EXPECT_EQ(watched.asked_for, (std::vector<std::size_t>{1024, 2, 1, 1}))
        << "half of what was too large";
    run(2);
    EXPECT_EQ(relay_->status().backlog.events, 0);
}

TEST_P(Bursts, OfWhichOneIsUnavailableSendThatOneAgain) {
    for (const Case& each : cases) {
        outbox_.commit(each.events);
        answer(Delivery::unavailable, each.failed);
        EXPECT_GT(relay_->run(Duration::zero()).call_again_in, Duration::zero());
        EXPECT_EQ(taken(), each.others);
        EXPECT_EQ(parked(), "");
        EXPECT_NE(relay_->status().last_error, "");
        EXPECT_EQ(outbox::OutboxFixture::names(relay_->unpublished(0, 10)), each.events);
        run(2);
        EXPECT_EQ(taken(), "");
        take_all();
        run();
        EXPECT_EQ(taken(), each.failed);
        EXPECT_EQ(relay_->status().backlog.events, 0);
        EXPECT_EQ(relay_->status().last_error, "");
    }
    EXPECT_EQ(relay_->status().published_total, 12);
}

TEST_P(Bursts, OfWhichOneIsRefusedParkThatOneAlone) {
    std::string all;
    for (const Case& each : cases) {
        outbox_.commit(each.events);
        answer(Delivery::refused, each.failed);
        run();
        EXPECT_EQ(taken(), each.others);
        EXPECT_EQ(parked(), each.failed + "!");
        EXPECT_EQ(relay_->status().backlog.events, 0);
        take_all();
        ASSERT_TRUE(retry(id(each.failed)));
        EXPECT_EQ(taken(), each.failed);
    }
    EXPECT_EQ(relay_->status().published_total, 12);
}

// No event of the burst was confirmed.
TEST_P(Bursts, OfWhichTheLastIsUnavailableComeAgainAfterARestart) {
    outbox_.commit("a1 b1 c1 a2");
    lose({"c1"});
    run();
    EXPECT_EQ(taken(), "a1 b1");
    restart();
    take_all();
    run();
    EXPECT_EQ(taken(), "a1 b1 c1 a2");
    EXPECT_EQ(relay_->status().backlog.events, 0);
}

// The second burst consists of one event.
TEST_P(Bursts, OfOneEventThatIsUnavailableHoldItsKey) {
    outbox_.commit("a1 b1 a2 a3");
    lose({"a2"});
    run();
    EXPECT_EQ(taken(), "a1 b1");
    EXPECT_EQ(parked(), "");
    take_all();
    run();
    EXPECT_EQ(taken(), "a2 a3");
    EXPECT_EQ(relay_->status().backlog.events, 0);
}

TEST_P(Bursts, OfWhichSomeAreRefusedAndTheLastIsUnavailableKeepAllThree) {
    outbox_.commit("a1 b1 c1 b2 c2");
    bus_.script = [](const std::string& name) {
        if (name == "b1") return Delivery::refused;
        return name == "c1" ? Delivery::unavailable : Delivery::acknowledged;
    };
    run(2);
    EXPECT_EQ(taken(), "a1");
    EXPECT_EQ(parked(), "");  // stored once the whole batch is settled
    EXPECT_EQ(relay_->status().backlog.events, 5);
    take_all();
    run();
    EXPECT_EQ(taken(), "c1 c2");
    EXPECT_EQ(parked(), "b1! b2");
    EXPECT_EQ(relay_->status().backlog.events, 0);
}

TEST_P(Bursts, AreCountedAsTheyAreAnswered) {
    outbox_.commit("a1 b1 c1");
    bus_.script = [](const std::string& name) {
        if (name == "b1") return Delivery::refused;
        return name == "c1" ? Delivery::unavailable : Delivery::acknowledged;
    };
    run(3);
    const std::string metrics = outbox_.metrics.prometheus_text();
    const auto has = [&](std::string_view line) { return metrics.find(line) != std::string::npos; };
    EXPECT_TRUE(has("trackops_relay_published_total{source=\"/trackops/orders\"} 1")) << metrics;
    EXPECT_TRUE(has("trackops_relay_refused_total{source=\"/trackops/orders\"} 1")) << metrics;
    EXPECT_TRUE(has("trackops_relay_retries_total{source=\"/trackops/orders\"} 3")) << metrics;
}

}  // namespace
}  // namespace trackops::relay
