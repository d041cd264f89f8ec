// Every sequence of outcomes of up to five runs of a batch, checked against the result that
// run_batch() promises for each command.
#include <functional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "platform/sql/batch.hpp"

namespace trackops::sql {
namespace {

enum class Outcome : std::uint8_t {  // the outcome of one run
    success,
    lost_race,
    repeat,
    unknown,
    bad_data,
    unavailable,
    broken
};
constexpr auto outcomes = {Outcome::success, Outcome::lost_race, Outcome::repeat,
                           Outcome::unknown, Outcome::bad_data,  Outcome::unavailable,
                           Outcome::broken};

using Outcomes = std::vector<Outcome>;

std::string text(const Outcomes& story) {
    std::string text;
    for (const Outcome outcome : story) text += "*lrudab"[static_cast<std::size_t>(outcome)];
    return text;
}

// A database whose back_off() does not wait.
class Patient final : public Database {
    std::unique_ptr<Transaction> begin(Access) override { throw std::logic_error("not asked for"); }
    Dialect dialect() const override { return Dialect::sqlite; }
    void ping() override {}
    void back_off(int) override {}
    std::string description() const override { return "none"; }
};

class ScriptedBatch {
public:
    // Run k of the batch ends with told[k]; runs after the last outcome succeed.
    explicit ScriptedBatch(const Outcomes& told) : told_(told) {}

    void play(int commands) {
        std::vector<int> all;
        for (int i = 0; i < commands; ++i) all.push_back(i);
        seen_.resize(all.size());
        Patient database;
        answers_ = run_batch<int, int>(database, all,
                                       [this](std::span<const int> asked) { return run(asked); });
    }
    bool is_told_to_the_end() const { return runs_ >= told_.size(); }
    bool goes_on() const { return runs_ > told_.size(); }
    void check() const {
        ASSERT_EQ(answers_.size(), seen_.size()) << "one answer a command";
        for (std::size_t i = 0; i < seen_.size(); ++i) ASSERT_NO_FATAL_FAILURE(check(i));
    }

private:
    struct Seen {  // the runs that a command was part of
        Outcomes outcomes;
        std::size_t with = 0;  // the number of commands in the last of these runs
        int repeats = 0;       // of the same commands
        int unknowns = 0;
    };

    std::vector<Result<int>> run(std::span<const int> asked) {
        const Outcome outcome = runs_ < told_.size() ? told_[runs_] : Outcome::success;
        ++runs_;
        std::vector<Result<int>> answers;
        for (const int command : asked) {
            note(seen_[static_cast<std::size_t>(command)], asked.size(), outcome);
            answers.emplace_back(command);
        }
        switch (outcome) {
            case Outcome::success:
                return answers;
            case Outcome::lost_race:
                throw ConcurrencyConflict();
            case Outcome::repeat:
                throw Failure(Fault::retryable, "40001", "");
            case Outcome::unknown:
                throw Failure(Fault::outcome_unknown, "", "");
            case Outcome::bad_data:
                throw Failure(Fault::bad_data, "23505", "");
            case Outcome::unavailable:
                throw Failure(Fault::unavailable, "08006", "");
            case Outcome::broken:
                break;
        }
        throw Failure(Fault::defect, "", "");
    }
    static void note(Seen& seen, std::size_t with, Outcome outcome) {
        if (!seen.outcomes.empty()) {
            const Outcome last = seen.outcomes.back();
            const bool is_final = last == Outcome::success || last == Outcome::unavailable ||
                                  last == Outcome::broken ||
                                  (last == Outcome::bad_data && seen.with == 1);
            EXPECT_FALSE(is_final) << "what is answered does not run again";
            EXPECT_EQ(with < seen.with, last == Outcome::bad_data) << "only bad data halves";
            EXPECT_LE(with, seen.with);
        }
        if (with < seen.with) seen.repeats = seen.unknowns = 0;
        if (outcome == Outcome::lost_race || outcome == Outcome::repeat) ++seen.repeats;
        if (outcome == Outcome::unknown) ++seen.unknowns;
        seen.outcomes.push_back(outcome);
        seen.with = with;
    }
    // The model: the last run decides the answer. After an unknown outcome, every answer is unknown
    // except a success and a refusal of the command itself.
    void check(std::size_t command) const {
        const Seen& seen = seen_[command];
        const Result<int>& answer = answers_[command];
        ASSERT_FALSE(seen.outcomes.empty()) << "nobody ran command " << command;
        const Outcome last = seen.outcomes.back();
        ASSERT_EQ(answer.has_value(), last == Outcome::success);
        if (answer) {
            ASSERT_EQ(*answer, static_cast<int>(command));
            return;
        }
        const bool is_unknown =
            std::ranges::find(seen.outcomes, Outcome::unknown) != seen.outcomes.end();
        Errc expected = Errc::unavailable;
        if (last == Outcome::bad_data) {
            ASSERT_EQ(seen.with, 1u) << "its neighbours are not to blame";
            expected = Errc::invalid;
        } else if (is_unknown) {
            expected = Errc::outcome_unknown;
        } else if (last == Outcome::broken) {
            expected = Errc::internal;
        }
        ASSERT_EQ(answer.error().code, expected) << answer.error().detail;
        if (last == Outcome::unknown) {
            ASSERT_EQ(seen.unknowns, unknown_outcome_retries_max + 1);
        }
        if (last == Outcome::repeat || last == Outcome::lost_race) {
            ASSERT_EQ(seen.repeats + seen.unknowns, retries_max + 1);
        }
    }

    const Outcomes told_;
    std::size_t runs_ = 0;
    std::vector<Seen> seen_;  // by command
    std::vector<Result<int>> answers_;
};

// Plays the sequence `told` and all its extensions of up to `runs_max` runs. Returns their number.
int play_all(int commands, std::size_t runs_max, Outcomes& told) {
    ScriptedBatch story(told);
    story.play(commands);
    if (!story.is_told_to_the_end()) return 0;  // a shorter sequence is the same
    story.check();
    if (::testing::Test::HasFailure()) {
        ADD_FAILURE() << commands << " commands: " << text(told);
        return 0;
    }
    int played = 1;
    if (!story.goes_on() || told.size() == runs_max) return played;
    for (const Outcome outcome : outcomes) {
        told.push_back(outcome);
        played += play_all(commands, runs_max, told);
        told.pop_back();
        if (::testing::Test::HasFailure()) break;
    }
    return played;
}

TEST(BatchOutcomes, AreAnsweredToEachCommandHoweverTheBatchIsSplitAndRepeated) {
    for (const int commands : {1, 2, 3, 4}) {
        Outcomes told;
        EXPECT_GT(play_all(commands, 5, told), 400) << commands;
    }
}

// Longer than the sequences above: each half of a batch counts its bounds anew, and an unknown
// outcome stays unknown.
TEST(BatchOutcomes, StayUnknownOverAllRepeats) {
    for (const Outcome again : {Outcome::repeat, Outcome::lost_race}) {
        for (std::size_t at = 0; at <= retries_max; ++at) {
            for (const int commands : {1, 2, 3}) {
                Outcomes told(retries_max + 1, again);
                told[at] = Outcome::unknown;
                ScriptedBatch story(told);
                story.play(commands);
                story.check();
                told.insert(told.begin(), {Outcome::unknown, Outcome::bad_data});
                ScriptedBatch halved(told);
                halved.play(commands);
                halved.check();
                ASSERT_FALSE(HasFailure()) << commands << " commands: " << text(told);
            }
        }
    }
}

TEST(OrLose, TakesAUniqueViolationForALostRaceAndNothingElse) {
    const auto fail_with = [](Fault fault, const char* sqlstate) {
        return [=] { throw Failure(fault, sqlstate, "no"); };
    };
    EXPECT_NO_THROW(or_conflict([] {}));
    EXPECT_THROW(or_conflict(fail_with(Fault::bad_data, "23505")), ConcurrencyConflict);
    for (const char* sqlstate : {"23503", "23514", "22003"})
        EXPECT_THROW(or_conflict(fail_with(Fault::bad_data, sqlstate)), Failure) << sqlstate;
    EXPECT_THROW(or_conflict(fail_with(Fault::outcome_unknown, "")), Failure);
}

}  // namespace
}  // namespace trackops::sql
