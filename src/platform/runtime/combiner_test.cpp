#include "platform/runtime/combiner.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/telemetry/metrics.hpp"

namespace trackops::runtime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int lost = -1;
constexpr Duration no_wait = Duration::zero();
constexpr Duration long_wait = std::chrono::seconds(20);  // a test that waits this long has failed

using Numbers = Combiner<int, int>;

// Records each batch and returns ten times each command.
struct Recorder {
    std::vector<std::vector<int>> batches = {};
    std::vector<int> operator()(std::span<const int> commands) {
        batches.emplace_back(commands.begin(), commands.end());
        std::vector<int> outcomes;
        for (const int command : commands) outcomes.push_back(command * 10);
        return outcomes;
    }
};

struct CombinerTest : testing::Test {
    Recorder recorder;
    std::vector<int> answers;
    std::function<std::vector<int>(std::span<const int>)> process = std::ref(recorder);

    Numbers make(CombinerLimits limits = {}) {
        return Numbers(
            limits, [this](std::span<const int> commands) { return process(commands); },
            [] { return lost; });
    }
    Numbers::Done keep() {
        return [this](int answer) { answers.push_back(answer); };
    }
    bool submit(Numbers& combiner, int command) { return combiner.submit(command, keep()); }
};

TEST_F(CombinerTest, AnswersEachCommandInOrder) {
    auto combiner = make();
    for (const int command : {1, 2, 3}) EXPECT_TRUE(submit(combiner, command));
    EXPECT_EQ(combiner.waiting(), 3U);
    EXPECT_EQ(combiner.run(no_wait).done, 3U);
    EXPECT_THAT(answers, ElementsAre(10, 20, 30));
    EXPECT_THAT(recorder.batches, ElementsAre(ElementsAre(1, 2, 3)));
    EXPECT_EQ(combiner.run(no_wait).done, 0U);
    EXPECT_EQ(recorder.batches.size(), 1U);  // process is not called without commands
}

TEST_F(CombinerTest, MakesTheNextBatchOfWhatArrivesDuringOne) {
    auto combiner = make();
    process = [&](std::span<const int> commands) {
        if (commands[0] == 1) {
            for (const int command : {2, 3, 4}) EXPECT_TRUE(submit(combiner, command));
        }
        return recorder(commands);
    };
    EXPECT_TRUE(submit(combiner, 1));
    combiner.run(no_wait);
    combiner.run(no_wait);
    EXPECT_THAT(recorder.batches, ElementsAre(ElementsAre(1), ElementsAre(2, 3, 4)));
}

TEST_F(CombinerTest, TakesNoMoreThanABatchAtOnce) {
    auto combiner = make({.batch_max = 2, .queue_max = 10});
    for (const int command : {1, 2, 3}) EXPECT_TRUE(submit(combiner, command));
    combiner.run(no_wait);
    combiner.run(no_wait);
    EXPECT_THAT(recorder.batches, ElementsAre(ElementsAre(1, 2), ElementsAre(3)));
}

TEST_F(CombinerTest, RefusesWhatItsQueueCannotHold) {
    auto combiner = make({.batch_max = 2, .queue_max = 2});
    EXPECT_TRUE(submit(combiner, 1));
    EXPECT_TRUE(submit(combiner, 2));
    EXPECT_FALSE(submit(combiner, 3));
    combiner.run(no_wait);
    EXPECT_TRUE(submit(combiner, 4));
    combiner.run(no_wait);
    EXPECT_THAT(answers, ElementsAre(10, 20, 40));
    EXPECT_THROW(make({.batch_max = 0}), std::logic_error);
    EXPECT_THROW(make({.queue_max = 0}), std::logic_error);
}

TEST_F(CombinerTest, AnswersABatchThatThrowsAsLost) {
    auto combiner = make();
    process = [](std::span<const int> commands) -> std::vector<int> {
        if (commands[0] == 1) throw std::runtime_error("the database is away");
        throw 7;
    };
    for (const int command : {1, 2}) EXPECT_TRUE(submit(combiner, command));
    EXPECT_THROW(combiner.run(no_wait), std::runtime_error);
    EXPECT_THAT(answers, ElementsAre(lost, lost));
    EXPECT_TRUE(submit(combiner, 3));
    EXPECT_THROW(combiner.run(no_wait), int);
    EXPECT_THAT(answers, ElementsAre(lost, lost, lost));
    process = std::ref(recorder);
    EXPECT_TRUE(submit(combiner, 4));
    combiner.run(no_wait);
    EXPECT_EQ(answers.back(), 40);
}

TEST_F(CombinerTest, GivesEachCommandItsOwnOutcome) {
    auto combiner = make();
    for (const std::size_t count : {0U, 1U, 3U}) {
        process = [=](std::span<const int>) { return std::vector<int>(count, 5); };
        for (const int command : {1, 2}) EXPECT_TRUE(submit(combiner, command));
        EXPECT_THROW(combiner.run(no_wait), std::logic_error) << count;
    }
    EXPECT_THAT(answers, ElementsAre(lost, lost, lost, lost, lost, lost));
}

TEST_F(CombinerTest, AnswersTheOthersWhenAnAnswerThrows) {
    auto combiner = make();
    EXPECT_TRUE(combiner.submit(1, [](int) { throw std::runtime_error("the client is gone"); }));
    EXPECT_TRUE(combiner.submit(2, [](int) { throw 7; }));
    EXPECT_TRUE(submit(combiner, 3));
    EXPECT_THROW(combiner.run(no_wait), std::runtime_error);
    EXPECT_THAT(answers, ElementsAre(30));
}

TEST_F(CombinerTest, TakesWhatAnAnswerSubmits) {
    auto combiner = make();
    EXPECT_TRUE(combiner.submit(1, [&](int) { EXPECT_TRUE(submit(combiner, 2)); }));
    combiner.run(no_wait);
    EXPECT_THAT(answers, IsEmpty());
    combiner.run(no_wait);
    EXPECT_THAT(answers, ElementsAre(20));
}

TEST_F(CombinerTest, AnswersWhatWaitsAtCloseAsLost) {
    auto combiner = make();
    EXPECT_TRUE(combiner.submit(1, [&](int answer) {
        answers.push_back(answer);
        EXPECT_FALSE(submit(combiner, 2));  // after close()
        combiner.close();
    }));
    EXPECT_TRUE(submit(combiner, 3));
    combiner.close();
    EXPECT_THAT(answers, ElementsAre(lost, lost));
    EXPECT_FALSE(submit(combiner, 4));
    combiner.close();
    // run() does not wait, and asks for no call soon
    const Progress progress = combiner.run(long_wait);
    EXPECT_EQ(progress.done, 0U);
    EXPECT_GE(progress.call_again_in, std::chrono::minutes(1));
    EXPECT_THAT(answers, ElementsAre(lost, lost));
}

TEST_F(CombinerTest, GivesABatchInFlightItsOwnAnswersAtClose) {
    auto combiner = make({.batch_max = 1, .queue_max = 10});
    process = [&](std::span<const int> commands) {
        combiner.close();
        return recorder(commands);
    };
    for (const int command : {1, 2}) EXPECT_TRUE(submit(combiner, command));
    EXPECT_EQ(combiner.run(no_wait).done, 1U);
    EXPECT_THAT(answers, ElementsAre(lost, 10));  // command 2 at close(), then command 1
}

TEST_F(CombinerTest, AnswersTheOthersWhenAnAnswerThrowsAtClose) {
    testing::internal::CaptureStderr();
    {
        auto combiner = make();
        EXPECT_TRUE(combiner.submit(1, [](int) { throw 7; }));
        EXPECT_TRUE(submit(combiner, 2));
    }
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                testing::HasSubstr("an answer at close failed"));
    EXPECT_THAT(answers, ElementsAre(lost));
}

TEST_F(CombinerTest, StopsWaitingWhenACommandComesOrWhenWokenOrClosed) {
    auto combiner = make();
    const auto start = std::chrono::steady_clock::now();
    // A wake before the wait ends the next wait.
    combiner.wake();
    EXPECT_EQ(combiner.run(long_wait).done, 0U);
    {
        const std::jthread other([&] { EXPECT_TRUE(submit(combiner, 1)); });
        EXPECT_EQ(combiner.run(long_wait).done, 1U);
    }
    {
        const std::jthread other([&] { combiner.wake(); });
        EXPECT_EQ(combiner.run(long_wait).done, 0U);
    }
    {
        const std::jthread other([&] { combiner.close(); });
        EXPECT_EQ(combiner.run(long_wait).done, 0U);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, long_wait);
}

// Submitters, runners, failing batches and close() run concurrently. The assertions hold for every
// interleaving.
struct Stress {
    static constexpr int submitters = 8;
    static constexpr int commands_each = 10'000;
    struct Command {
        int submitter;
        int number;
    };
    struct Slot {  // one command
        std::atomic<int> answered{0};
        std::atomic<int> answer{0};
        bool accepted = false;  // written by its submitter
    };

    std::unique_ptr<std::array<Slot, submitters * commands_each>> slots =
        std::make_unique<std::array<Slot, submitters * commands_each>>();
    std::atomic<bool> closed{false};
    std::atomic<int> answered{0};
    std::atomic<int> failures{0};
    std::atomic<int> out_of_order{0};
    Combiner<Command, int> combiner{
        {.batch_max = 64, .queue_max = 512},
        [this](std::span<const Command> batch) { return process(batch); },
        [] { return lost; }};

    static int index(Command command) { return command.submitter * commands_each + command.number; }

    std::vector<int> process(std::span<const Command> batch) {
        std::array<int, submitters> last;
        last.fill(-1);
        std::vector<int> outcomes;
        for (const Command& command : batch) {
            auto& previous = last[static_cast<std::size_t>(command.submitter)];
            if (command.number <= previous) ++out_of_order;
            previous = command.number;
            outcomes.push_back(index(command));
        }
        const int draw = (batch[0].number * 31 + batch[0].submitter) % 16;
        if (draw == 0) throw std::runtime_error("planted");
        if (draw == 1) throw draw;
        if (draw == 2) outcomes.pop_back();
        return outcomes;
    }

    void submit_all(int submitter) {
        for (int number = 0; number < commands_each; ++number) {
            const Command command{submitter, number};
            Slot& slot = (*slots)[static_cast<std::size_t>(index(command))];
            const auto done = [this, &slot](int answer) {
                slot.answer = answer;
                ++slot.answered;
                ++answered;
                answered.notify_one();
            };
            while (!(slot.accepted = combiner.submit(command, done)) && !closed)
                std::this_thread::yield();
        }
    }

    void run_until(const std::atomic<bool>& stop) {
        while (!stop) {
            try {
                combiner.run(std::chrono::milliseconds(5));
            } catch (...) {
                ++failures;
            }
        }
    }
};

TEST(CombinerStress, AnswersEachCommandExactlyOnceWhateverHappens) {
    Stress stress;
    std::atomic<bool> stop{false};
    {
        std::vector<std::jthread> runners;
        for (int i = 0; i < 2; ++i) runners.emplace_back([&] { stress.run_until(stop); });
        {
            std::vector<std::jthread> submitters;
            for (int i = 0; i < Stress::submitters; ++i)
                submitters.emplace_back([&, i] { stress.submit_all(i); });
            constexpr int half = Stress::submitters * Stress::commands_each / 2;
            for (int seen = stress.answered; seen < half; seen = stress.answered)
                stress.answered.wait(seen);
            stress.combiner.close();
            stress.closed = true;
        }
        stop = true;
    }
    int accepted = 0;
    for (int i = 0; i < static_cast<int>(stress.slots->size()); ++i) {
        const auto& slot = (*stress.slots)[static_cast<std::size_t>(i)];
        ASSERT_EQ(slot.answered, slot.accepted ? 1 : 0) << i;
        if (slot.accepted) {
            ASSERT_TRUE(slot.answer == i || slot.answer == lost) << i;
            ++accepted;
        }
    }
    EXPECT_EQ(stress.answered, accepted);
    EXPECT_GE(accepted, Stress::submitters * Stress::commands_each / 2);
    EXPECT_GT(stress.failures, 0);
    EXPECT_EQ(stress.out_of_order, 0);
}

struct Sized {
    std::size_t bytes;
};
std::size_t bytes_of(const Sized& command) { return command.bytes; }

TEST(Combiner, PaysForItsCommandsUntilTheirOutcome) {
    telemetry::Registry metrics;
    Budget budget(100, metrics);
    Combiner<Sized, int> combiner(
        {.budget = &budget},
        [](std::span<const Sized> batch) { return std::vector<int>(batch.size(), 1); },
        [] { return 0; });
    int answered = 0;
    const auto done = [&](int) {
        ++answered;
        EXPECT_GT(budget.used(), 0u) << "until every outcome is told";
    };
    EXPECT_TRUE(combiner.submit({60}, done));
    EXPECT_FALSE(combiner.submit({60}, done)) << "nothing is left for it";
    EXPECT_TRUE(combiner.submit({40}, done));
    EXPECT_EQ(budget.used(), 100u);
    combiner.run(Duration::zero());
    EXPECT_EQ(answered, 2);
    EXPECT_EQ(budget.used(), 0u);
    EXPECT_TRUE(combiner.submit({60}, [](int) {}));
    combiner.close();
    EXPECT_EQ(budget.used(), 0u);
    EXPECT_FALSE(combiner.submit({60}, done));
    EXPECT_EQ(budget.used(), 0u) << "a refused command pays nothing";
}

}  // namespace
}  // namespace trackops::runtime
