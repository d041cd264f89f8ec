#include "platform/sql/batch.hpp"

#include <deque>
#include <string>

#include <gtest/gtest.h>

namespace trackops::sql {
namespace {

using Answers = std::vector<Result<int>>;
using Commands = std::vector<int>;

Failure failure(Fault fault) { return {fault, "", "secret table"}; }

// run_batch only waits on this database and begins no transaction. Records the waits.
class Untouched final : public Database {
public:
    void back_off(int attempt) override {
        waits.push_back(attempt);
        Database::back_off(attempt);
    }
    std::vector<int> waits;

private:
    std::unique_ptr<Transaction> begin(Access) override { throw std::logic_error("not asked for"); }
    Dialect dialect() const override { return Dialect::sqlite; }
    void ping() override {}
    std::string description() const override { return "none"; }
};

// A batch function for the tests. A run throws the next scripted failure, or bad_data if a command
// is in `with_bad_data`. Otherwise it answers each command with the command itself. Records all
// runs.
class Script {
public:
    explicit Script(std::deque<Fault> faults = {}, int lost_races = 0)
        : faults_(std::move(faults)), lost_races_(lost_races) {}

    Answers run(Commands commands) {
        Untouched database;
        auto answers = run_batch<int, int>(
            database, commands, [this](std::span<const int> asked) { return work(asked); });
        waits = database.waits;
        return answers;
    }
    Commands with_bad_data;
    std::vector<Commands> runs;
    std::vector<int> waits;  // the attempt that each wait was told

private:
    Answers work(std::span<const int> asked) {
        runs.emplace_back(asked.begin(), asked.end());
        if (lost_races_-- > 0) throw ConcurrencyConflict();
        if (!faults_.empty()) {
            const auto fault = faults_.front();
            faults_.pop_front();
            throw failure(fault);
        }
        Answers answers;
        for (const int command : asked) {
            if (std::ranges::find(with_bad_data, command) != with_bad_data.end())
                throw failure(Fault::bad_data);
            answers.emplace_back(command);
        }
        return answers;
    }

    std::deque<Fault> faults_;
    int lost_races_;
};

void expect_all(const Answers& answers, Errc code, std::size_t count) {
    ASSERT_EQ(answers.size(), count);
    for (const auto& answer : answers) {
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, code);
        EXPECT_EQ(answer.error().detail.find("secret"), std::string::npos);
    }
}

TEST(Batch, AnswersEachCommandInOrder) {
    Script script;
    const auto answers = script.run({3, 1, 2});
    ASSERT_EQ(answers.size(), 3U);
    EXPECT_EQ(answers[0].value(), 3);
    EXPECT_EQ(answers[1].value(), 1);
    EXPECT_EQ(answers[2].value(), 2);
    EXPECT_EQ(script.runs.size(), 1U);
}

TEST(Batch, RefusesOnlyTheCommandsWithBadData) {
    for (const Commands& with_bad_data :
         {Commands{1}, Commands{4}, Commands{7}, Commands{2, 3}, Commands{1, 7}}) {
        Script script;
        script.with_bad_data = with_bad_data;
        const Commands commands = {1, 2, 3, 4, 5, 6, 7};
        const auto answers = script.run(commands);
        ASSERT_EQ(answers.size(), commands.size());
        for (std::size_t i = 0; i < commands.size(); ++i) {
            const bool is_bad =
                std::ranges::find(with_bad_data, commands[i]) != with_bad_data.end();
            ASSERT_EQ(answers[i].has_value(), !is_bad) << commands[i];
            if (is_bad) {
                EXPECT_EQ(answers[i].error().code, Errc::invalid);
            } else {
                EXPECT_EQ(*answers[i], commands[i]);
            }
        }
    }
}

TEST(Batch, HalvesInsteadOfRunningEachAlone) {
    Commands commands(64);
    for (int i = 0; i < 64; ++i) commands[static_cast<std::size_t>(i)] = i;
    Script script;
    script.with_bad_data = {17};
    script.run(commands);
    // The whole batch, and two halves on each of six levels.
    EXPECT_EQ(script.runs.size(), 13U);
}

TEST(Batch, RunsTheSameCommandsAgainForARepeat) {
    Script script({Fault::retryable, Fault::retryable});
    const auto answers = script.run({1, 2});
    ASSERT_EQ(answers.size(), 2U);
    EXPECT_TRUE(answers[0] && answers[1]);
    EXPECT_EQ(script.runs, (std::vector<Commands>{{1, 2}, {1, 2}, {1, 2}}));
}

TEST(Batch, GivesUpRepeatingInTheEnd) {
    Script script(std::deque<Fault>(100, Fault::retryable));
    expect_all(script.run({1, 2}), Errc::unavailable, 2);
    EXPECT_EQ(script.runs.size(), retries_max + 1U);
}

TEST(Batch, RunsALostRaceAgainButNotForEver) {
    Script twice({}, 2);
    EXPECT_TRUE(twice.run({1}).at(0));
    EXPECT_EQ(twice.runs.size(), 3U);
    Script always({}, 1000);
    expect_all(always.run({1, 2, 3}), Errc::unavailable, 3);
    EXPECT_EQ(always.runs.size(), retries_max + 1U);
}

// Without a wait two batches that conflict once conflict again at once.
TEST(Batch, WaitsBeforeEachRepeatForALongerTime) {
    Script script({Fault::retryable, Fault::outcome_unknown, Fault::retryable});
    EXPECT_TRUE(script.run({1, 2}).at(0));
    EXPECT_EQ(script.waits, (std::vector<int>{0, 1, 2}));
    Script races({}, 2);
    EXPECT_TRUE(races.run({1}).at(0));
    EXPECT_EQ(races.waits, (std::vector<int>{0, 1}));
    // Nothing waits before it halves, and each half counts anew.
    Script halved({Fault::retryable, Fault::bad_data, Fault::retryable, Fault::retryable});
    EXPECT_TRUE(halved.run({1, 2}).at(1));
    EXPECT_EQ(halved.waits, (std::vector<int>{0, 0, 1}));
}

TEST(Batch, WaitsForNoRunThatDoesNotCome) {
    Script always(std::deque<Fault>(100, Fault::retryable));
    always.run({1});
    EXPECT_EQ(always.waits, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
    for (const Fault fault : {Fault::unavailable, Fault::defect, Fault::bad_data}) {
        Script script({fault});
        script.run({1});
        EXPECT_TRUE(script.waits.empty());
    }
}

TEST(Batch, FindsOutWhatALostCommitDidWithTheSameCommands) {
    Script script({Fault::outcome_unknown});
    EXPECT_TRUE(script.run({1, 2}).at(1));
    EXPECT_EQ(script.runs, (std::vector<Commands>{{1, 2}, {1, 2}}));
    Script never(std::deque<Fault>(100, Fault::outcome_unknown));
    expect_all(never.run({1, 2}), Errc::outcome_unknown, 2);
    EXPECT_EQ(never.runs.size(), unknown_outcome_retries_max + 1U);
}

// A server that died in the middle of a commit is not back a moment later.
TEST(Batch, DoesNotForgetALostCommitThatItCouldNotLookFor) {
    for (const Fault fault : {Fault::unavailable, Fault::defect}) {
        Script script({Fault::outcome_unknown, fault});
        expect_all(script.run({1, 2}), Errc::outcome_unknown, 2);
    }
    std::deque<Fault> repeats(100, Fault::retryable);
    repeats.push_front(Fault::outcome_unknown);
    expect_all(Script(repeats).run({1, 2}), Errc::outcome_unknown, 2);
    Script halved({Fault::outcome_unknown, Fault::bad_data, Fault::unavailable, Fault::bad_data});
    const auto answers = halved.run({1, 2});
    ASSERT_EQ(answers.size(), 2U);
    EXPECT_EQ(answers[0].error().code, Errc::outcome_unknown);
    // The command itself is bad data, so it was never committed.
    EXPECT_EQ(answers[1].error().code, Errc::invalid);
}

TEST(Batch, SplitsNothingWhenTheDatabaseIsAwayOrWeAreBroken) {
    Script away({Fault::unavailable});
    expect_all(away.run({1, 2, 3}), Errc::unavailable, 3);
    EXPECT_EQ(away.runs.size(), 1U);
    Script broken({Fault::defect});
    expect_all(broken.run({1, 2, 3}), Errc::internal, 3);
    EXPECT_EQ(broken.runs.size(), 1U);
}

TEST(Batch, AnswersNothingForNoCommands) {
    Script script;
    EXPECT_TRUE(script.run({}).empty());
}

}  // namespace
}  // namespace trackops::sql
