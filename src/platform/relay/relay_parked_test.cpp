// No later event of a key is published before a parked one, no matter how parked events leave the
// queue.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "platform/audit_log/migrations.hpp"
#include "platform/relay/lease.hpp"
#include "platform/relay/poll_source.hpp"
#include "platform/relay/relay_for_tests.hpp"
#include "platform/telemetry/log.hpp"
#include "testing/acts.hpp"

namespace trackops::relay {
namespace {

using bus::Delivery;

class ParkedEvents : public RelayForTests {
protected:
    // Commits the events and parks them: the bus refuses `refused` in one run, then takes all
    // events.
    void park(std::string_view events, std::set<std::string> refused) {
        outbox_.commit(events);
        refuse(std::move(refused));
        run();
        take_all();
    }
};
INSTANTIATE_TEST_SUITE_P(Databases, ParkedEvents, ::testing::ValuesIn(testing::databases));

TEST_P(ParkedEvents, HoldLaterOnesWhenTheNextIsRefusedInTurn) {
    park("a1 a2 a3", {"a1"});
    refuse({"a2"});
    EXPECT_TRUE(retry(id("a1")));
    take_all();
    outbox_.commit("a4");
    run();
    EXPECT_EQ(bus_.taken, "a1");
    EXPECT_EQ(parked(), "a2! a3 a4");
    EXPECT_TRUE(retry(id("a2")));
    EXPECT_EQ(bus_.taken, "a1 a2 a3 a4");
    EXPECT_EQ(parked(), "");
}

TEST_P(ParkedEvents, LeaveTheirRetryInTheAuditLog) {
    sql::migrate(*outbox_.database, "audit_log", audit_log::migrations);
    park("a1 a2 b1", {"a1", "b1"});
    refuse({"b1"});
    const auto refused = testing::act("refused");
    EXPECT_FALSE(retry(id("b1"), refused));
    EXPECT_FALSE(refused->is_committed);
    const auto taken = testing::act("retry");
    EXPECT_TRUE(retry(id("a1"), taken));
    EXPECT_TRUE(taken->is_committed);
    EXPECT_EQ(parked(), "b1!");
    EXPECT_EQ(testing::audit_rows(*outbox_.database),
              std::vector<std::string>{"operator:ann retry committed x1"});
}

TEST_P(ParkedEvents, AreNamedInTheLogOnceASecond) {
    telemetry::configure_log("test", telemetry::Level::warn, true);
    ::testing::internal::CaptureStderr();
    park("a1 b1 c1", {"a1", "b1", "c1"});
    const std::string log = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::ranges::count(log, '\n'), 1);
    EXPECT_NE(log.find(R"("event":")" + id("a1").text() + '"'), std::string::npos);
    EXPECT_NE(log.find("POST /api/relay/events/" + id("a1").text() + "/retry"), std::string::npos);
    EXPECT_EQ(parked(), "a1! b1! c1!");
}

// One run() retries a1, has a2 refused and reads a3.
TEST_P(ParkedEvents, HoldWhatIsReadInTheRunThatRetries) {
    park("a1 a2", {"a1"});
    bus_.script = [this](const std::string& name) {
        if (name == "a1") outbox_.commit("a3 b1");
        return name == "a2" ? Delivery::refused : Delivery::acknowledged;
    };
    EXPECT_TRUE(retry(id("a1")));
    EXPECT_EQ(bus_.taken, "a1 b1");
    EXPECT_EQ(parked(), "a2! a3");
}

TEST_P(ParkedEvents, HoldLaterOnesAlsoWhenARestartFollowsTheRetry) {
    park("a1 a2 a3", {"a1"});
    refuse({"a2"});
    EXPECT_TRUE(retry(id("a1")));
    take_all();
    restart();
    outbox_.commit("a4 b1");
    run(2);
    EXPECT_EQ(bus_.taken, "a1 b1");
    EXPECT_EQ(parked(), "a2! a3 a4");
}

TEST_P(ParkedEvents, HoldLaterOnesWhenARetryIsRefused) {
    park("a1 a2", {"a1"});
    refuse({"a1"});
    EXPECT_FALSE(retry(id("a1")));
    take_all();
    outbox_.commit("a3");
    run(2);
    EXPECT_EQ(bus_.taken, "");
    EXPECT_EQ(parked(), "a1! a2 a3");
}

TEST_P(ParkedEvents, HoldLaterOnesWhenTheBusIsAwayAtTheRetry) {
    park("a1 a2", {"a1"});
    lose({"a1"});
    EXPECT_EQ(retry(id("a1")).error().code, Errc::unavailable);
    take_all();
    outbox_.commit("a3");
    run(2);
    EXPECT_EQ(bus_.taken, "");
    EXPECT_EQ(parked(), "a1! a2 a3");
}

TEST_P(ParkedEvents, HoldLaterOnesWhenTheRestOfTheQueueFindsTheBusAwayAndThenIsRefused) {
    park("a1 a2 a3", {"a1"});
    lose({"a2"});
    EXPECT_TRUE(retry(id("a1")));
    refuse({"a2"});
    outbox_.commit("a4");
    run();
    take_all();
    outbox_.commit("a5");
    run(2);
    EXPECT_EQ(bus_.taken, "a1");
    EXPECT_EQ(parked(), "a2! a3 a4 a5");
}

TEST_P(ParkedEvents, AreTriedAgainWithABackoffWhileTheBusIsAway) {
    park("a1 a2", {"a1"});
    lose({"a2"});
    EXPECT_TRUE(retry(id("a1")));
    restart();
    for (const int wait : {20, 40, 80}) {
        EXPECT_EQ(relay_->run(Duration::zero()).call_again_in, std::chrono::milliseconds(wait));
        EXPECT_NE(relay_->status().last_error, "");
    }
    take_all();
    run();
    EXPECT_EQ(bus_.taken, "a1 a2");
    EXPECT_EQ(relay_->status().last_error, "");
}

// Another process holds the source for a while, but the lease is still ours: events are read again,
// and the refusal of a1 is not forgotten.
TEST_P(ParkedEvents, AreNotForgottenWhileTheSourceIsAnothers) {
    relay_.reset();
    auto watched = std::make_unique<WatchedSource>(make_poll_source(*outbox_.database));
    WatchedSource& source = *watched;
    relay_ = relay("one", std::move(watched));
    outbox_.commit("a1 b1 a2");
    bus_.script = [](const std::string& name) {
        if (name == "a1") return Delivery::refused;
        return name == "b1" ? Delivery::unavailable : Delivery::acknowledged;
    };
    run();
    source.may_claim = false;
    run();
    EXPECT_FALSE(relay_->status().active);
    source.may_claim = true;
    run();
    EXPECT_EQ(bus_.taken, "");
    take_all();
    run();
    EXPECT_EQ(bus_.taken, "b1");
    EXPECT_EQ(parked(), "a1! a2");
    EXPECT_EQ(relay_->status().backlog.events, 0);
}

TEST_P(ParkedEvents, SaySinceWhenTheyAreAtFault) {
    park("a1 a2", {"a1"});
    const auto since = [this](std::size_t i) { return relay_->parked(0, 10).at(i).parked_at; };
    clock_.advance(std::chrono::seconds(1));
    refuse({"a1"});
    EXPECT_FALSE(retry(id("a1")));
    EXPECT_EQ(since(0), outbox::noon + std::chrono::seconds(1));
    EXPECT_EQ(since(1), outbox::noon);
    clock_.advance(std::chrono::seconds(1));
    refuse({"a2"});
    EXPECT_TRUE(retry(id("a1")));
    EXPECT_EQ(since(0), outbox::noon + std::chrono::seconds(2));
}

TEST_P(ParkedEvents, OfOneKeyLeaveWithoutThoseOfAnother) {
    park("a1 b1 a2 b2 c1", {"a1", "b1"});
    EXPECT_EQ(relay_->status().parked_events, 4);
    EXPECT_EQ(relay_->status().parked_keys, 2);
    EXPECT_TRUE(retry(id("b1")));
    outbox_.commit("a3 b3");
    run(2);
    EXPECT_EQ(bus_.taken, "c1 b1 b2 b3");
    EXPECT_EQ(parked(), "a1! a2 a3");
    EXPECT_EQ(relay_->status().parked_keys, 1);
    EXPECT_TRUE(retry(id("a1")));
    EXPECT_EQ(bus_.taken, "c1 b1 b2 b3 a1 a2 a3");
}

// In the same run() the queue of b is published and that of a is refused again.
TEST_P(ParkedEvents, OfTwoKeysThatMoveTogetherStopWhereEachIsRefused) {
    park("a1 b1 a2 b2 a3 b3", {"a1", "b1"});
    lose({"a2", "b2"});
    EXPECT_TRUE(retry(id("a1")));
    EXPECT_TRUE(retry(id("b1")));
    refuse({"a2"});
    outbox_.commit("a4 b4");
    run(2);
    EXPECT_EQ(bus_.taken, "a1 b1 b2 b3 b4");
    EXPECT_EQ(parked(), "a2! a3 a4");
}

// After a restart only the tables tell which queues may be published.
TEST_P(ParkedEvents, StayWhereTheyAreAtARestartUnlessTheirPredecessorsHaveLeft) {
    park("a1 b1 a2 b2 a3 b3", {"a1", "b1"});
    restart();
    run(2);
    EXPECT_EQ(bus_.taken, "");
    EXPECT_EQ(parked(), "a1! b1! a2 b2 a3 b3");
    lose({"b2"});
    EXPECT_TRUE(retry(id("b1")));
    restart();
    take_all();
    run(2);
    EXPECT_EQ(bus_.taken, "b1 b2 b3");
    EXPECT_EQ(parked(), "a1! a2 a3");
}

TEST_P(ParkedEvents, AreParkedOnceWhenTheyAreDeliveredAgain) {
    relay_.reset();
    auto dying = std::make_unique<WatchedSource>(make_poll_source(*outbox_.database));
    WatchedSource& source = *dying;
    source.before_confirm = [] { throw sql::Failure(sql::Fault::unavailable, "", "killed"); };
    relay_ = relay("one", std::move(dying));
    outbox_.commit("a1 a2 b1");
    refuse({"a1"});
    EXPECT_THROW(run(), sql::Failure);
    source.before_confirm = [] {};
    take_all();
    run();
    EXPECT_EQ(parked(), "a1! a2");
    EXPECT_EQ(relay_->status().parked_events, 2);
    outbox_.commit("a3");
    EXPECT_TRUE(retry(id("a1")));
    EXPECT_EQ(bus_.taken, "b1 b1 a1 a2 a3");
}

// a1 was published and its confirmation was lost: it is read again while a2 is parked.
TEST_P(ParkedEvents, AreNotOvertakenByWhatFollowsADeliveryAgain) {
    relay_.reset();
    auto dying = std::make_unique<WatchedSource>(make_poll_source(*outbox_.database));
    dying->before_confirm = [] { throw sql::Failure(sql::Fault::unavailable, "", "killed"); };
    relay_ = relay("one", std::move(dying));
    outbox_.commit("a1 a2 a3");
    refuse({"a2"});
    EXPECT_THROW(run(), sql::Failure);
    restart();
    outbox_.commit("a4");
    run(3);
    EXPECT_EQ(bus_.taken, "a1");
    EXPECT_EQ(parked(), "a1 a2! a3 a4");
    take_all();
    EXPECT_TRUE(retry(id("a1")));
    EXPECT_EQ(bus_.taken, "a1 a1 a2 a3 a4");
}

TEST_P(ParkedEvents, MakeRoomForMoreWhenTheyLeave) {
    relay_.reset();
    relay_ = std::make_unique<Relay>(*outbox_.database, make_poll_source(*outbox_.database), bus_,
                                     clock_, RelayOptions{.holder = "one", .parked_max = 3},
                                     outbox_.metrics);
    park("a1 b1", {"a1", "b1"});
    outbox_.commit("a2 c1");  // one fewer than parked_max is parked
    run();
    EXPECT_EQ(bus_.taken, "c1");
    outbox_.commit("d1");
    run(2);
    EXPECT_EQ(bus_.taken, "c1");
    EXPECT_TRUE(retry(id("b1")));
    run();
    EXPECT_EQ(bus_.taken, "c1 b1 d1");
    outbox_.commit("a3 e1");
    run();
    EXPECT_EQ(parked(), "a1! a2 a3");
    EXPECT_TRUE(retry(id("a1")));
    outbox_.commit("a4 f1");
    run();
    EXPECT_EQ(bus_.taken, "c1 b1 d1 e1 a1 a2 a3 a4 f1");
    park("g1 g2", {"g1"});  // the events behind a1 no longer count
    outbox_.commit("h1");
    run();
    EXPECT_EQ(bus_.taken, "c1 b1 d1 e1 a1 a2 a3 a4 f1 h1");
}

// The clock of the second relay is ahead, so it takes the lease over while the first one publishes
// and believes in its lease.
TEST_P(ParkedEvents, AreNotAddedByARelayWhoseLeaseIsTakenOverWhileItPublishes) {
    relay_.reset();
    auto watched = std::make_unique<WatchedSource>(make_poll_source(*outbox_.database));
    int confirmed = 0;
    watched->before_confirm = [&] { ++confirmed; };
    relay_ = relay("one", std::move(watched));
    testing::FakeClock ahead{outbox::noon + std::chrono::hours(1)};
    Lease two(*outbox_.database, ahead, "two", std::chrono::seconds(4));
    bus_.after_burst = [&] { two.acquire_or_renew(); };
    outbox_.commit("a1 a2 b1");
    refuse({"a1"});
    run();
    EXPECT_EQ(confirmed, 0);
    EXPECT_EQ(parked(), "");
    EXPECT_EQ(relay_->status().backlog.events, 3);
    run();
    EXPECT_FALSE(relay_->status().active);
    EXPECT_EQ(bus_.taken, "b1");
    // Once it has the lease again, it has forgotten the refusal and begins where nothing is
    // confirmed.
    two.release();
    bus_.after_burst = [] {};
    take_all();
    run();
    EXPECT_EQ(bus_.taken, "b1 a1 b1 a2");
    EXPECT_EQ(parked(), "");
    EXPECT_EQ(confirmed, 1);
    EXPECT_EQ(relay_->status().backlog.events, 0);
}

// The second relay has published a1 and has remembered that nothing of the key is parked.
TEST_P(ParkedEvents, AreNotAddedBehindTheBackOfTheRelayThatHasTakenTheLeaseOver) {
    testing::FakeClock ahead{outbox::noon + std::chrono::hours(1)};
    Relay two(*outbox_.database, make_poll_source(*outbox_.database), bus_, ahead,
              RelayOptions{.holder = "two"}, outbox_.metrics);
    outbox_.commit("a1");
    refuse({"a1"});
    bool is_first = true;
    bus_.after_burst = [&] {
        if (!std::exchange(is_first, false)) return;
        take_all();
        two.run(Duration::zero());
    };
    run();
    outbox_.commit("a2");
    two.run(Duration::zero());
    EXPECT_EQ(bus_.taken, "a1 a2");
    EXPECT_EQ(parked(), "");
}

// Otherwise the second relay would remember a parked key whose queue is empty, park the next event
// of the key and leave it there.
TEST_P(ParkedEvents, LeaveOnlyThroughTheRelayThatHoldsTheLease) {
    testing::FakeClock ahead{outbox::noon + std::chrono::hours(1)};
    Relay two(*outbox_.database, make_poll_source(*outbox_.database), bus_, ahead,
              RelayOptions{.holder = "two"}, outbox_.metrics);
    outbox_.commit("a1");
    refuse({"a1"});
    run();
    take_all();
    two.run(Duration::zero());
    EXPECT_TRUE(two.status().active);
    EXPECT_EQ(retry(id("a1")).error().code, Errc::unavailable);
    EXPECT_EQ(parked(), "a1!");
    run();
    EXPECT_FALSE(relay_->status().active);
    outbox_.commit("a2");
    two.run(Duration::zero());
    auto answer = two.begin_retry(id("a1"));
    two.run(Duration::zero());
    EXPECT_TRUE(answer.get());
    EXPECT_EQ(bus_.taken, "a1 a1 a2");
    EXPECT_EQ(parked(), "");
}

TEST_P(ParkedEvents, AreNotMarkedRefusedByARelayThatHasLostItsLease) {
    testing::FakeClock ahead{outbox::noon + std::chrono::hours(1)};
    Lease two(*outbox_.database, ahead, "two", std::chrono::seconds(4));
    park("a1", {"a1"});
    two.acquire_or_renew();
    clock_.advance(std::chrono::seconds(1));
    refuse({"a1"});
    EXPECT_EQ(retry(id("a1")).error().code, Errc::unavailable);
    EXPECT_EQ(relay_->parked(0, 1).at(0).parked_at, outbox::noon);
}

// Keys, refusals, outages of the bus, retries, restarts and lost confirmations, drawn from a seed.
// Delivery results change only between steps, so that the number of run() calls does not matter.
class ParkedEventsAtRandom : public RelayForTests {
protected:
    std::uint64_t dice(std::uint64_t below) {
        seed_ = seed_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return (seed_ >> 33) % below;
    }
    void commit_some() {
        std::vector<outbox::Event> events;
        for (std::uint64_t i = dice(6); i > 0; --i) {
            const char key = static_cast<char>('a' + dice(3));
            events.push_back(outbox::OutboxFixture::event(key, ++written_[key], ++ids_));
        }
        const auto tx = outbox_.database->begin(sql::Access::write);
        append(*tx, events);
        tx->commit();
    }
    void change_fates() {
        std::map<std::string, Delivery> fates;
        for (const auto& [key, last] : written_) {
            for (std::int64_t n = 1; n <= last; ++n) {
                const auto fate = dice(10);
                if (fate > 3) continue;
                fates[fmt::format("{}{}", key, n)] =
                    fate == 0 ? Delivery::unavailable : Delivery::refused;
            }
        }
        bus_.script = [this, fates = std::move(fates)](const std::string& name) {
            const auto fate = fates.find(name);
            if (fate != fates.end()) return fate->second;
            arrive(name);
            return Delivery::acknowledged;
        };
    }
    // Checks that the event is the next one of its key, or one that has arrived before.
    void arrive(const std::string& name) {
        std::int64_t& last = arrived_[name[0]];
        const std::int64_t sequence = std::stoll(name.substr(1));
        EXPECT_LE(sequence, last + 1) << name << " has overtaken an event of its key";
        last = std::max(last, sequence);
    }
    // Runs the relay until nothing more can be done.
    void work() {
        for (int i = 0; i < 8; ++i) {
            clock_.advance(std::chrono::milliseconds(10));
            run();
        }
    }
    void lose_a_confirm() {
        relay_.reset();
        auto dying = std::make_unique<WatchedSource>(make_poll_source(*outbox_.database));
        dying->before_confirm = [] { throw sql::Failure(sql::Fault::unavailable, "", "killed"); };
        relay_ = relay("one", std::move(dying));
        try {
            run();
        } catch (const sql::Failure&) {  // thrown only if run() confirms
        }
        restart();
    }
    void retry_one() {
        const auto waiting = relay_->parked(0, 100);
        if (waiting.empty()) return;
        (void)retry(waiting[dice(waiting.size())].event.id);
    }

    std::map<char, std::int64_t> written_;
    std::map<char, std::int64_t> arrived_;

private:
    std::uint64_t seed_ = 12;
    std::uint64_t ids_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Databases, ParkedEventsAtRandom, ::testing::ValuesIn(testing::databases));

TEST_P(ParkedEventsAtRandom, AreOvertakenByNoneAndLost) {
    for (int step = 0; step < 120 && !HasFailure(); ++step) {
        commit_some();
        change_fates();
        if (dice(8) == 0) restart();
        if (dice(8) == 0) lose_a_confirm();
        work();
        retry_one();
        work();
    }
    bus_.script = [this](const std::string& name) {
        arrive(name);
        return Delivery::acknowledged;
    };
    work();
    for (auto waiting = relay_->parked(0, 1); !waiting.empty(); waiting = relay_->parked(0, 1)) {
        ASSERT_TRUE(retry(waiting.front().event.id));
    }
    EXPECT_EQ(arrived_, written_);
    EXPECT_EQ(relay_->status().backlog.events, 0);
}

}  // namespace
}  // namespace trackops::relay
