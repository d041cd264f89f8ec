// Tests of the consumer pump against a scripted subscription: what it hands over, commits, retries
// and dead-letters.
#include "platform/bus/consumer.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <stdexcept>
#include <tuple>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// One partition "t"/0 per topic of the script. Records all calls.
struct Script {
    std::deque<Message> waiting;
    std::vector<Duration> waits;
    std::vector<std::tuple<std::string, int, std::int64_t>> commits;
    std::vector<std::string> pauses;
    std::set<std::pair<std::string, int>> paused;
    std::vector<OutgoingMessage> published;
    // The results of publishing; acknowledged if empty.
    std::deque<Delivery> answers;
    std::vector<std::string> topics;
    bool topics_fail = false;
    bool poll_fails = false;
};

class FakeSubscription final : public Subscription {
public:
    explicit FakeSubscription(Script& script) : script_(script) {}
    std::vector<Message> poll(std::size_t max, Duration max_wait) override {
        if (script_.poll_fails) throw std::runtime_error("disk away");
        script_.waits.push_back(max_wait);
        std::vector<Message> given;
        std::deque<Message> left;
        for (Message& message : script_.waiting) {
            const bool is_paused = script_.paused.contains({message.topic, message.partition});
            if (is_paused || given.size() == max) {
                left.push_back(std::move(message));
            } else {
                given.push_back(std::move(message));
            }
        }
        script_.waiting = std::move(left);
        return given;
    }
    void commit(std::string_view topic, std::int32_t partition, std::int64_t offset) override {
        script_.commits.emplace_back(topic, partition, offset);
    }
    void pause(std::string_view topic, std::int32_t partition, bool paused) override {
        script_.pauses.push_back(fmt::format("{}{}/{}", paused ? '+' : '-', topic, partition));
        if (paused) {
            script_.paused.emplace(topic, partition);
        } else {
            script_.paused.erase({std::string(topic), partition});
        }
    }
    void wake() override { throw std::runtime_error("woken"); }

private:
    Script& script_;
};

class FakePublisher final : public Publisher {
public:
    explicit FakePublisher(Script& script) : script_(script) {}
    std::vector<Delivery> publish(std::span<const OutgoingMessage> messages) override {
        std::vector<Delivery> answers;
        for (const OutgoingMessage& message : messages) {
            script_.published.push_back(message);
            answers.push_back(Delivery::acknowledged);
            if (script_.answers.empty()) continue;
            answers.back() = script_.answers.front();
            script_.answers.pop_front();
        }
        return answers;
    }

private:
    Script& script_;
};

class FakeBus final : public Bus {
public:
    explicit FakeBus(Script& script) : script_(script) {}
    void ensure_topics(std::span<const std::string> topics) override {
        if (script_.topics_fail) throw std::runtime_error("disk full");
        script_.topics.insert(script_.topics.end(), topics.begin(), topics.end());
    }
    std::unique_ptr<Publisher> publisher() override {
        return std::make_unique<FakePublisher>(script_);
    }
    std::unique_ptr<Subscription> subscribe(std::string_view,
                                            std::span<const std::string>) override {
        return std::make_unique<FakeSubscription>(script_);
    }
    void ping() override {}
    std::vector<TopicState> state(std::string_view) override { return {}; }

private:
    Script& script_;
};

class ConsumerPump : public ::testing::Test {
protected:
    // Names of messages: their values.
    using Names = std::vector<std::string>;

    // Adds messages to partition 0 of topic t, given as pairs of key and value.
    void given(std::initializer_list<std::pair<std::string, std::string>> messages) {
        for (const auto& [key, value] : messages) send(0, key, value);
    }
    void send(int partition, std::string key, std::string value) {
        script_.waiting.push_back(
            {"t", partition, next_[partition]++, std::move(key), std::move(value), {}, {}});
    }
    runtime::Progress run(Duration max_wait = seconds(1)) {
        handed_.clear();
        script_.commits.clear();
        return consumer_.run(max_wait);
    }
    // Runs once and returns the messages that the handler received.
    Names handed_in_a_run() {
        run();
        return handed_;
    }
    std::vector<Disposition> handle(std::span<const Message> batch) {
        std::vector<Disposition> dispositions;
        bool throws = false;
        for (const Message& message : batch) {
            handed_.push_back(message.value);
            throws = throws || throwing_.contains(message.value);
            const auto answer = answers_.find(message.value);
            dispositions.push_back(answer == answers_.end() ? Disposition(Done{}) : answer->second);
        }
        if (throws) throw std::runtime_error("handler broke");
        dispositions.resize(dispositions.size() - drop_);
        return dispositions;
    }
    double metric(const std::string& name) {
        return metrics_.counter("trackops_bus_" + name, "", {{"group", "g"}}).value();
    }
    static auto committed(std::int64_t offset, int partition = 0) {
        return ElementsAre(std::tuple("t", partition, offset));
    }

    Script script_;
    FakeBus bus_{script_};
    trackops::testing::FakeClock clock_;
    trackops::testing::FixedChance chance_;
    telemetry::Registry metrics_;
    runtime::Budget budget_{1000, metrics_};
    std::map<int, std::int64_t> next_;
    Names handed_;
    std::map<std::string, Disposition> answers_;
    std::set<std::string> throwing_;
    std::size_t drop_ = 0;
    Consumer consumer_{bus_,
                       {.group = "g",
                        .topics = {"t"},
                        .batch_max = 4,
                        .clock = &clock_,
                        .chance = &chance_,
                        .budget = &budget_},
                       [this](std::span<const Message> batch) { return handle(batch); },
                       metrics_};
};

TEST_F(ConsumerPump, CommitsWhatIsDone) {
    given({{"a", "1"}, {"b", "2"}});
    send(1, "c", "3");
    const runtime::Progress progress = run();
    EXPECT_EQ(progress.done, 3);
    EXPECT_EQ(progress.call_again_in, Duration::zero());
    EXPECT_THAT(handed_, ElementsAre("1", "2", "3"));
    EXPECT_THAT(script_.commits, ElementsAre(std::tuple("t", 0, 1), std::tuple("t", 1, 0)));
}

TEST_F(ConsumerPump, WaitsOnItsSourceForAsLongAsItIsTold) {
    EXPECT_EQ(run(seconds(3)).done, 0);
    EXPECT_THAT(script_.waits, ElementsAre(seconds(3)));
    EXPECT_THAT(handed_, IsEmpty());
    EXPECT_THROW(consumer_.wake(), std::runtime_error);
}

TEST_F(ConsumerPump, GivesAMessageAgainAfterABackoffThatDoubles) {
    given({{"a", "1"}});
    answers_["1"] = RetryLater{"not now"};
    EXPECT_EQ(run().call_again_in, milliseconds(20));
    EXPECT_THAT(script_.commits, IsEmpty());
    for (const auto backoff : {milliseconds(20), milliseconds(40), milliseconds(80)}) {
        clock_.advance(backoff - Duration(1));
        EXPECT_THAT(handed_in_a_run(), IsEmpty());
        EXPECT_EQ(script_.waits.back(), Duration(1));
        clock_.advance(Duration(1));
        EXPECT_THAT(handed_in_a_run(), ElementsAre("1"));
        EXPECT_THAT(handed_in_a_run(), IsEmpty());
    }
    EXPECT_EQ(metric("retries_total"), 4);
    answers_.clear();
    clock_.advance(seconds(2));
    EXPECT_EQ(run().done, 1);
    EXPECT_THAT(script_.commits, committed(0));
    EXPECT_THAT(handed_in_a_run(), IsEmpty());
}

TEST_F(ConsumerPump, NeverBacksOffForLongerThanItsMaximum) {
    given({{"a", "1"}});
    answers_["1"] = RetryLater{"not now"};
    run();
    for (int i = 0; i < 12; ++i) {
        clock_.advance(seconds(2));
        EXPECT_THAT(handed_in_a_run(), ElementsAre("1"));
        EXPECT_THAT(handed_in_a_run(), IsEmpty());
    }
    clock_.set({0});
    EXPECT_THAT(handed_in_a_run(), ElementsAre("1")) << "a clock that was set back holds nothing";
}

TEST_F(ConsumerPump, TellsWhoCannotWaitWhenToComeBack) {
    given({{"a", "1"}});
    answers_["1"] = RetryLater{"not now"};
    run(Duration::zero());
    clock_.advance(milliseconds(5));
    EXPECT_EQ(run(Duration::zero()).call_again_in, milliseconds(15));
}

TEST_F(ConsumerPump, HoldsLaterMessagesOfAHeldKeyAndHandlesOtherKeys) {
    given({{"a", "a1"}, {"b", "b1"}, {"a", "a2"}});
    answers_["a1"] = RetryLater{"not now"};
    EXPECT_EQ(run().done, 1);
    EXPECT_THAT(script_.commits, IsEmpty()) << "nothing before the first that is not done";
    given({{"a", "a3"}, {"b", "b2"}});
    EXPECT_THAT(handed_in_a_run(), ElementsAre("b2"));
    EXPECT_THAT(script_.commits, IsEmpty());
    clock_.advance(milliseconds(20));
    answers_.clear();
    EXPECT_THAT(handed_in_a_run(), ElementsAre("a1", "a2", "a3"));
    EXPECT_THAT(script_.commits, committed(4));
}

TEST_F(ConsumerPump, NeverCountsALaterMessageOfAKeyAsDoneBeforeAnEarlierOne) {
    given({{"a", "a1"}, {"a", "a2"}, {"a", "a3"}});
    answers_["a2"] = RetryLater{"not now"};
    answers_["a3"] = DeadLetter{"never"};
    EXPECT_EQ(run().done, 1);
    EXPECT_THAT(script_.commits, committed(0));
    EXPECT_THAT(script_.published, IsEmpty()) << "a3 is not looked at before a2 is done";
    clock_.advance(milliseconds(20));
    EXPECT_THAT(handed_in_a_run(), ElementsAre("a2", "a3"));
}

TEST_F(ConsumerPump, KeepsTheOrderOfAHeldKeyWhenABatchIsTooSmallForIt) {
    given({{"a", "a1"}, {"a", "a2"}, {"a", "a3"}, {"a", "a4"}});
    answers_["a1"] = RetryLater{"not now"};
    run();
    given({{"a", "a5"}, {"a", "a6"}, {"b", "b1"}});
    EXPECT_THAT(handed_in_a_run(), ElementsAre("b1"));
    clock_.advance(milliseconds(20));
    answers_.clear();
    given({{"a", "a7"}});
    EXPECT_THAT(handed_in_a_run(), ElementsAre("a1", "a2", "a3", "a4"));
    EXPECT_THAT(handed_in_a_run(), ElementsAre("a5", "a6"));
    EXPECT_THAT(handed_in_a_run(), ElementsAre("a7"));
    EXPECT_THAT(script_.commits, committed(7));
}

TEST_F(ConsumerPump, HoldsMessagesWithoutAKeyOneByOne) {
    given({{"", "1"}, {"", "2"}});
    answers_["1"] = RetryLater{"not now"};
    EXPECT_EQ(run().done, 1);
    given({{"", "3"}});
    EXPECT_THAT(handed_in_a_run(), ElementsAre("3"));
    clock_.advance(milliseconds(20));
    answers_.clear();
    EXPECT_THAT(handed_in_a_run(), ElementsAre("1"));
    EXPECT_THAT(script_.commits, committed(2));
}

TEST_F(ConsumerPump, HoldsAKeyInItsPartitionOnly) {
    given({{"a", "1"}});
    answers_["1"] = RetryLater{"not now"};
    run();
    send(1, "a", "2");
    EXPECT_THAT(handed_in_a_run(), ElementsAre("2"));
    EXPECT_THAT(script_.commits, committed(0, 1));
}

TEST_F(ConsumerPump, PausesAPartitionWithTooMuchBehindAHeldMessage) {
    given({{"a", "held"}});
    answers_["held"] = RetryLater{"not now"};
    run();
    for (int i = 0; i < 100; ++i) send(0, "b", fmt::to_string(i));
    for (int i = 0; i < 30; ++i) run();
    EXPECT_THAT(script_.pauses, ElementsAre("+t/0"));
    EXPECT_EQ(script_.waiting.size(), 84) << "the held one and 16 others were taken";
    send(1, "c", "elsewhere");
    EXPECT_THAT(handed_in_a_run(), ElementsAre("elsewhere")) << "other partitions go on";
    answers_.clear();
    clock_.advance(milliseconds(20));
    run();
    EXPECT_THAT(script_.commits, committed(16));
    EXPECT_THAT(script_.pauses, ElementsAre("+t/0", "-t/0"));
    for (int i = 0; i < 30; ++i) run();
    EXPECT_THAT(script_.waiting, IsEmpty());
}

TEST_F(ConsumerPump, TakesLittleWhileMemoryIsShort) {
    for (const auto* name : {"1", "2", "3", "4"}) given({{name, name}});
    budget_.take_anyway(runtime::Spending::bodies, budget_.bytes_max());
    EXPECT_THAT(handed_in_a_run(), ElementsAre("1")) << "it goes on, one at a time";
    EXPECT_THAT(script_.pauses, IsEmpty());
    answers_["2"] = RetryLater{"not now"};
    EXPECT_THAT(handed_in_a_run(), ElementsAre("2"));
    EXPECT_THAT(script_.pauses, ElementsAre("+t/0")) << "and takes nothing behind a held one";
    EXPECT_GT(budget_.used(), budget_.bytes_max()) << "the held one is counted";
    budget_.put_back(runtime::Spending::bodies, budget_.bytes_max());
    run();
    EXPECT_THAT(script_.pauses, ElementsAre("+t/0", "-t/0"));
    EXPECT_THAT(handed_in_a_run(), ElementsAre("3", "4"));
    answers_.clear();
    clock_.advance(milliseconds(20));
    EXPECT_THAT(handed_in_a_run(), ElementsAre("2"));
    EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(ConsumerPump, BacksOffAsAWholeWhenNothingCanBeDone) {
    Duration expected = milliseconds(20);
    for (int i = 0; i < 3; ++i) {
        given({{fmt::format("key-{}", i), "away"}});
        answers_["away"] = RetryLater{"the database is away"};
        EXPECT_EQ(run(Duration::zero()).call_again_in, expected);
        expected *= 2;
    }
    chance_.set(0.5);
    given({{"b", "away"}});
    EXPECT_EQ(run(Duration::zero()).call_again_in, expected * 3 / 4);
    given({{"c", "good"}});
    EXPECT_EQ(run().call_again_in, Duration::zero());
}

TEST_F(ConsumerPump, GivesEverythingAgainAfterAnException) {
    given({{"a", "1"}, {"b", "2"}});
    throwing_ = {"2"};
    const runtime::Progress progress = run();
    EXPECT_EQ(progress.done, 0);
    EXPECT_EQ(progress.call_again_in, milliseconds(20));
    EXPECT_THAT(script_.commits, IsEmpty());
    EXPECT_EQ(metric("handler_failures_total"), 1);
    throwing_.clear();
    clock_.advance(milliseconds(20));
    run();
    run();
    EXPECT_EQ(metric("handler_failures_total"), 1);
    EXPECT_THAT(script_.commits, committed(1));
}

TEST_F(ConsumerPump, IsolatesAMessageThatThrows) {
    for (int i = 0; i < 8; ++i) send(0, fmt::format("key-{}", i), fmt::to_string(i));
    throwing_ = {"5"};
    std::set<std::string> done;
    for (int i = 0; i < 40; ++i) {
        const auto progress = run();
        if (progress.done > 0) done.insert(handed_.begin(), handed_.end());
        clock_.advance(seconds(2));
    }
    EXPECT_THAT(done, ElementsAre("0", "1", "2", "3", "4", "6", "7"));
    throwing_.clear();
    run();
    EXPECT_THAT(script_.commits, committed(7));
}

TEST_F(ConsumerPump, ThrowsWhenDispositionsAreMissingAndLosesNothing) {
    given({{"a", "1"}, {"b", "2"}});
    drop_ = 1;
    EXPECT_THROW(run(), std::logic_error);
    EXPECT_THAT(script_.commits, IsEmpty());
    drop_ = 0;
    clock_.advance(milliseconds(20));
    EXPECT_THAT(handed_in_a_run(), ElementsAre("1", "2"));
    EXPECT_THAT(script_.commits, committed(1));
}

TEST_F(ConsumerPump, SaysWhichMessageIsADeadLetterOnceASecond) {
    given({{"a", "1"}, {"b", "2"}, {"c", "3"}});
    for (const char* value : {"1", "2", "3"}) answers_[value] = DeadLetter{"never"};
    telemetry::configure_log("test", telemetry::Level::warn, true);
    ::testing::internal::CaptureStderr();
    run();
    const std::string log = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(metric("dead_letters_total"), 3);
    EXPECT_EQ(std::ranges::count(log, '\n'), 1);
    EXPECT_THAT(log, ::testing::HasSubstr("dead letter: a person must look at the message"));
    EXPECT_THAT(log, ::testing::HasSubstr(R"("reason":"never","action":"read it in t.DLT,)"));
}

TEST_F(ConsumerPump, CommitsADeadLetterOnlyWhenTheBusHasIt) {
    given({{"a", "1"}, {"b", "2"}});
    answers_["1"] = DeadLetter{"never"};
    script_.answers = {Delivery::unavailable};
    EXPECT_EQ(run().done, 1);
    EXPECT_THAT(script_.commits, IsEmpty());
    EXPECT_EQ(metric("dead_letters_total"), 0);
    clock_.advance(milliseconds(20));
    EXPECT_EQ(run().done, 1);
    EXPECT_THAT(script_.commits, committed(1));
    EXPECT_EQ(metric("dead_letters_total"), 1);
    ASSERT_EQ(script_.published.size(), 2);
    EXPECT_EQ(script_.published[1].topic, "t.DLT");
    EXPECT_EQ(script_.published[1].value, "1");
}

TEST_F(ConsumerPump, HoldsWhatFollowsADeadLetterThatTheBusDoesNotHave) {
    given({{"a", "a1"}, {"a", "a2"}});
    answers_["a1"] = DeadLetter{"never"};
    script_.topics_fail = true;
    EXPECT_EQ(run().done, 0);
    EXPECT_THAT(script_.commits, IsEmpty());
    script_.topics_fail = false;
    clock_.advance(milliseconds(20));
    EXPECT_THAT(handed_in_a_run(), ElementsAre("a1", "a2"));
    EXPECT_THAT(script_.topics, ElementsAre("t.DLT"));
    EXPECT_THAT(script_.commits, committed(1));
}

TEST_F(ConsumerPump, LeavesTheContentOutOfADeadLetterThatIsTooLarge) {
    given({{"a", std::string(100, 'x')}});
    answers_[std::string(100, 'x')] = DeadLetter{std::string(5000, 'y')};
    script_.answers = {Delivery::refused, Delivery::acknowledged};
    EXPECT_EQ(run().done, 1);
    ASSERT_EQ(script_.published.size(), 2);
    EXPECT_EQ(script_.published[1].value, "");
    EXPECT_THAT(
        script_.published[1].headers,
        ElementsAre(Header{"dlt-topic", "t"}, Header{"dlt-partition", "0"},
                    Header{"dlt-offset", "0"}, Header{"dlt-reason", std::string(1024, 'y')},
                    Header{"dlt-group", "g"}, ::testing::Field(&Header::name, "dlt-content")));
}

TEST_F(ConsumerPump, TakesWhatARebalanceBringsAgainInOrder) {
    given({{"a", "a1"}, {"b", "b1"}, {"a", "a2"}});
    answers_["a1"] = RetryLater{"not now"};
    run();
    // The partition was revoked and assigned again.
    next_[0] = 0;
    given({{"a", "a1"}, {"b", "b1"}, {"a", "a2"}, {"a", "a3"}});
    answers_.clear();
    EXPECT_THAT(handed_in_a_run(), ElementsAre("a1", "b1", "a2", "a3"));
    EXPECT_THAT(script_.commits, committed(3));
    clock_.advance(seconds(2));
    EXPECT_THAT(handed_in_a_run(), IsEmpty());
}

TEST_F(ConsumerPump, KeepsItsHeldMessagesWhenThePollFails) {
    given({{"a", "1"}});
    answers_["1"] = RetryLater{"not now"};
    run();
    script_.poll_fails = true;
    EXPECT_THROW(run(), std::runtime_error);
    clock_.advance(milliseconds(20));
    answers_.clear();
    EXPECT_THAT(handed_in_a_run(), ElementsAre("1"));
    EXPECT_THAT(script_.commits, committed(0));
}

TEST_F(ConsumerPump, HandlesFreshMessagesWhileARetryFailsEveryTime) {
    given({{"a", "stuck"}});
    answers_["stuck"] = RetryLater{"not now"};
    run();
    std::vector<Names> runs;
    for (int i = 0; i < 3; ++i) {
        // The retry is due at each run.
        clock_.advance(seconds(2));
        given({{"b", fmt::to_string(i)}});
        runs.push_back(handed_in_a_run());
    }
    EXPECT_THAT(runs, ElementsAre(Names{"stuck"}, Names{"0", "1"}, Names{"stuck"}));
}

}  // namespace
}  // namespace trackops::bus
