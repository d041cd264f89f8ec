// The promises of a relay with each source, as scenarios that naive relays must fail: a relay that
// sends the successor of an unpublished event, and one that forgets its parked keys at a restart.
// Also tests of the relay's own part in reading the log.
#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "platform/relay/message.hpp"
#include "platform/relay/poll_source.hpp"
#include "platform/relay/relay.hpp"
#include "platform/relay/scripted_bus_for_tests.hpp"
#include "platform/relay/sources_for_tests.hpp"

namespace trackops::relay {
namespace {

using bus::Delivery;

// A relay under test. step() lets it do everything that it can do now.
class Player {
public:
    Player(SourceFixture& of, ScriptedBus& to) : sources(of), bus(to) {}
    virtual ~Player() = default;
    virtual void step() = 0;
    virtual void restart() = 0;

protected:
    SourceFixture& sources;
    ScriptedBus& bus;
};

// step() ends when the relay has no publishable event left or a publish has failed.
class RealRelay final : public Player {
public:
    RealRelay(SourceFixture& of, ScriptedBus& to) : Player(of, to) { restart(); }

    void step() override {
        // Over the log, runs until the relay has read to the current end.
        const std::size_t bursts = bus.bursts.size();
        until([&] {
            relay_->run(Duration::zero());
            const RelayStatus status = relay_->status();
            const bool has_failed = bus.bursts.size() > bursts && !status.last_error.empty();
            return has_failed || status.backlog.events == 0;
        });
        for (int i = 0; i < 3; ++i) relay_->run(Duration::zero());
    }
    void restart() override {
        relay_.reset();
        auto source =
            sources.is_wal() ? sources.make_wal() : make_poll_source(*sources.outbox.database);
        relay_ = std::make_unique<Relay>(*sources.outbox.database, std::move(source), bus, clock_,
                                         RelayOptions{.holder = "one"}, sources.outbox.metrics);
        until([&] {
            relay_->run(Duration::zero());
            return relay_->status().active;
        });
    }
    Relay& relay() { return *relay_; }

private:
    testing::FakeClock clock_{outbox::noon};
    std::unique_ptr<Relay> relay_;
};

class NaiveRelay : public Player {
public:
    NaiveRelay(SourceFixture& of, ScriptedBus& to)
        : Player(of, to), source_(of.make()), publisher_(to.publisher()) {}
    void restart() override {
        source_.reset();
        source_ = sources.make();
        parked_keys_.clear();
    }

protected:
    Delivery publish(const outbox::Event& event) {
        const auto message = to_message(event, "/naive");
        return publisher_->publish({&message, 1}).at(0);
    }
    std::unique_ptr<Source> source_;
    std::unique_ptr<bus::Publisher> publisher_;
    std::set<Uuid> parked_keys_;
};

// A naive relay: retries failed events after it has published their successors.
class LetsOvertake final : public NaiveRelay {
public:
    using NaiveRelay::NaiveRelay;
    void step() override {
        std::erase_if(failed_, [&](const outbox::Event& event) {
            return publish(event) == Delivery::acknowledged;
        });
        for (const outbox::StoredEvent& stored : source_->read(100)) {
            if (publish(stored.event) == Delivery::unavailable) failed_.push_back(stored.event);
        }
        if (failed_.empty()) source_->confirm();
    }

private:
    std::vector<outbox::Event> failed_;
};

// A naive relay: keeps the parked keys only in memory.
class ForgetsParked final : public NaiveRelay {
public:
    using NaiveRelay::NaiveRelay;
    void step() override {
        for (const outbox::StoredEvent& stored : source_->read(100)) {
            if (parked_keys_.contains(stored.event.key)) continue;
            if (publish(stored.event) == Delivery::refused) parked_keys_.insert(stored.event.key);
        }
        source_->confirm();
    }
};

struct Stage {
    outbox::OutboxFixture& outbox;
    ScriptedBus& bus;
    Player& relay;

    void answer(Delivery delivery, std::set<std::string> to) {
        bus.script = [delivery, names = std::move(to)](const std::string& name) {
            return names.contains(name) ? delivery : Delivery::acknowledged;
        };
    }
};

// Returns the events of one key in the order of their arrival.
std::string of_key(const std::string& taken, char key) {
    std::string events;
    for (std::size_t i = 0; i + 1 < taken.size(); i += 3) {
        if (taken[i] == key) events += taken.substr(i, 2);
    }
    return events;
}

bool keeps_order_when_one_fails(Stage& stage) {
    stage.answer(Delivery::unavailable, {"a1"});
    stage.outbox.commit("a1 a2 b1");
    stage.relay.step();
    stage.answer(Delivery::unavailable, {});
    stage.relay.step();
    return of_key(stage.bus.taken, 'a') == "a1a2" && of_key(stage.bus.taken, 'b') == "b1";
}

bool holds_the_queue_of_a_parked_event_after_a_restart(Stage& stage) {
    stage.answer(Delivery::refused, {"a1"});
    stage.outbox.commit("a1 b1");
    stage.relay.step();
    stage.answer(Delivery::refused, {});
    stage.relay.restart();
    stage.outbox.commit("a2 b2");
    stage.relay.step();
    return of_key(stage.bus.taken, 'a').empty() && of_key(stage.bus.taken, 'b') == "b1b2";
}

template <class Relay>
bool plays(const std::string& kind, bool (*scene)(Stage&)) {
    SourceFixture sources(kind);
    ScriptedBus bus;
    Relay relay(sources, bus);
    Stage stage{sources.outbox, bus, relay};
    return scene(stage);
}

class RelayScenarios : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Sources, RelayScenarios, ::testing::ValuesIn(source_kinds));

TEST_P(RelayScenarios, KeepTheOrderOfAKeyWhenOneOfItsEventsFails) {
    EXPECT_TRUE(plays<RealRelay>(GetParam(), keeps_order_when_one_fails));
}
TEST_P(RelayScenarios, HoldTheQueueOfAParkedEventAfterARestart) {
    EXPECT_TRUE(plays<RealRelay>(GetParam(), holds_the_queue_of_a_parked_event_after_a_restart));
}
TEST(NaiveRelays, ThatLetASuccessorOvertakeAreCaught) {
    EXPECT_FALSE(plays<LetsOvertake>("sqlite-poll", keeps_order_when_one_fails));
}
TEST(NaiveRelays, ThatForgetAParkedEventAreCaught) {
    EXPECT_FALSE(
        plays<ForgetsParked>("sqlite-poll", holds_the_queue_of_a_parked_event_after_a_restart));
}

class RelayOverTheLog : public ::testing::Test {
protected:
    // Makes a relay over the log. Runs the first one until it streams the log.
    std::unique_ptr<Relay> relay(std::string holder, const Clock& clock) {
        auto log = sources_.make_wal(
            {.checkpoint_interval = Duration::zero(), .sender_timeout = sender_timeout});
        const WalSource& streams = *log;
        auto made = std::make_unique<Relay>(*sources_.outbox.database, std::move(log), bus_, clock,
                                            RelayOptions{.holder = std::move(holder)},
                                            sources_.outbox.metrics);
        if (!std::exchange(is_one_made_, true)) {
            work_until(*made, [&] { return streams.is_streaming(); });
        }
        return made;
    }
    void work_until(Relay& relay, const std::function<bool()>& is_so) {
        until([&] {
            relay.run(std::chrono::milliseconds(5));
            return is_so();
        });
    }

    static constexpr std::chrono::milliseconds sender_timeout{1500};

    SourceFixture sources_{"postgres-wal"};
    testing::FakeClock clock_{outbox::noon};
    ScriptedBus bus_;
    bool is_one_made_ = false;
};

TEST_F(RelayOverTheLog, IsActiveOnlyWithTheSlotAndTakesItOver) {
    testing::FakeClock ahead{outbox::noon};
    const auto one = relay("one", clock_);
    sources_.outbox.commit("a1");
    work_until(*one, [&] { return bus_.taken == "a1"; });
    const auto two = relay("two", ahead);
    two->run(Duration::zero());
    EXPECT_FALSE(two->status().active);
    // The lease has expired, but the first relay still reads the slot.
    ahead.advance(std::chrono::seconds(10));
    two->run(Duration::zero());
    EXPECT_FALSE(two->status().active);
    EXPECT_EQ(two->status().source, "wal");
    sources_.outbox.commit("a2");
    // The first relay is silent by now.
    work_until(*two, [&] { return bus_.taken == "a1 a2"; });
    EXPECT_TRUE(two->status().active);
    clock_.advance(std::chrono::seconds(10));
    one->run(Duration::zero());
    EXPECT_FALSE(one->status().active);
    EXPECT_EQ(bus_.taken, "a1 a2");
}

TEST_F(RelayOverTheLog, KeepsTheSlotWhileTheBusIsAwayOrItIsPaused) {
    const auto one = relay("one", clock_);
    const auto work = [&] {
        const auto end = std::chrono::steady_clock::now() + 2 * sender_timeout;
        while (std::chrono::steady_clock::now() < end) {
            one->run(std::chrono::milliseconds(5));
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            EXPECT_TRUE(one->status().active);
        }
    };
    bus_.script = [](const std::string&) { return Delivery::unavailable; };
    sources_.outbox.commit("a1 a2");
    work();
    bus_.script = [](const std::string&) { return Delivery::acknowledged; };
    one->pause();
    work();
    one->resume();
    work_until(*one, [&] { return bus_.taken == "a1 a2"; });
}

TEST_F(RelayOverTheLog, WaitsForTheLogAndNotForTheClock) {
    const auto one = relay("one", clock_);
    sources_.outbox.commit("a1");
    work_until(*one, [&] { return bus_.taken == "a1"; });
    EXPECT_EQ(one->run(std::chrono::milliseconds(1)).call_again_in, Duration::zero());
    EXPECT_GT(one->run(Duration::zero()).call_again_in, Duration::zero());
}

}  // namespace
}  // namespace trackops::relay
