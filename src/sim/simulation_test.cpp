// Whole worlds: equal seeds give equal traces, the product passes all invariants, and mutants do
// not.
#include "sim/simulation.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "platform/telemetry/log.hpp"
#include "sim/shrink.hpp"

namespace trackops::sim {
namespace {

class Simulated : public ::testing::Test {
protected:
    static void SetUpTestSuite() { telemetry::configure_log("sim", telemetry::Level::off, false); }
    static std::vector<std::string> story_of(std::uint64_t seed) {
        std::vector<std::string> lines;
        RunPlan plan;
        plan.listener = [&](std::string_view line) { lines.emplace_back(line); };
        simulate(seed, plan);
        return lines;
    }
    // Returns the first broken run among the seeds 1, 2, ...; nothing if all pass.
    static std::optional<RunResult> first_broken(const Mutant& mutant, int seeds) {
        RunPlan plan;
        plan.mutant = &mutant;
        for (int seed = 1; seed <= seeds; ++seed) {
            RunResult outcome = simulate(static_cast<std::uint64_t>(seed), plan);
            if (outcome.violation) return outcome;
        }
        return std::nullopt;
    }
};

TEST_F(Simulated, OneSeedIsOneStory) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        const RunResult once = simulate(seed, {});
        const RunResult again = simulate(seed, {});
        EXPECT_EQ(once.hash, again.hash);
        EXPECT_EQ(once.steps, again.steps);
    }
    EXPECT_EQ(story_of(4), story_of(4));
    EXPECT_NE(simulate(1, {}).hash, simulate(2, {}).hash);
}

TEST_F(Simulated, TellingAStoryDoesNotChangeIt) {
    RunPlan told;
    told.listener = [](std::string_view) {};
    EXPECT_EQ(simulate(5, {}).hash, simulate(5, told).hash);
}

TEST_F(Simulated, NamesTimeModuleEventAndOrderInItsStory) {
    const auto lines = story_of(1);
    EXPECT_TRUE(std::ranges::any_of(lines, [](const std::string& line) {
        return line.contains("order-") && line.contains("commits") &&
               line.contains("ORDER_CREATED O1 #1");
    }));
}

TEST_F(Simulated, BreaksNothingOfTheProduct) {
    std::int64_t faults = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const RunResult outcome = simulate(seed, {});
        faults += outcome.fault_total;
        EXPECT_FALSE(outcome.violation)
            << "trackops sim --seed " << seed << " --trace: " << outcome.violation->invariant
            << ": " << outcome.violation->evidence;
        EXPECT_GT(outcome.orders, 10);
    }
    EXPECT_GT(faults, 1000);
}

TEST_F(Simulated, ComesToRestWithoutTimeOutsWhereNothingGoesWrong) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        const RunResult outcome = simulate(seed, {.faults = {.most = 0}});
        EXPECT_FALSE(outcome.violation) << seed << ": " << outcome.violation->evidence;
        EXPECT_EQ(outcome.fault_total, 0);
    }
}

TEST_F(Simulated, FindsNothingWrongWithTwoRelaysThatBothHoldTheLease) {
    // Two relays at once only publish duplicates, which at-least-once delivery allows.
    constexpr Mutant no_lease{
        .name = "no_lease",
        .bug = "a relay that once had the lease renews nothing and believes that it holds it",
        .kind = MutantKind::sql_text,
        .service = "order",
        .query = "relay.lease.renew",
        .text = "UPDATE relay_lease SET expires_at = expires_at WHERE $1 <> '' AND $2 IS NOT NULL"};
    const auto broken = first_broken(no_lease, 5);
    EXPECT_FALSE(broken) << broken->violation->evidence;
}

TEST_F(Simulated, ShrinksAFailureToOneThatFailsAlike) {
    RunPlan plan{.customers = 3, .actions = 8};
    plan.mutant = mutant_named("cancellation_untold");
    const RunResult outcome = simulate(1, plan);
    ASSERT_TRUE(outcome.violation);
    const RunPlan least = shrink(1, plan, *outcome.violation);
    EXPECT_LT(least.customers * least.actions, plan.customers * plan.actions);
    const RunResult smaller = simulate(1, least);
    ASSERT_TRUE(smaller.violation);
    EXPECT_EQ(smaller.violation->invariant, outcome.violation->invariant);
    EXPECT_LT(smaller.fault_total, outcome.fault_total);
}

// Mutants that need more seeds run only in the optimised build: trackops sim --mutant all.
class PlantedBug : public Simulated, public ::testing::WithParamInterface<Mutant> {};

TEST_P(PlantedBug, IsFoundWithinItsSeeds) {
    const auto broken = first_broken(GetParam(), GetParam().seeds);
    ASSERT_TRUE(broken) << GetParam().bug << ", and " << GetParam().seeds
                        << " seeds did not see it";
}

constexpr int seeds_of_a_test = 8;

std::vector<Mutant> quickly_found() {
    std::vector<Mutant> list;
    for (const Mutant& mutant : mutants()) {
        if (mutant.seeds <= seeds_of_a_test) list.push_back(mutant);
    }
    return list;
}
INSTANTIATE_TEST_SUITE_P(Mutants, PlantedBug, ::testing::ValuesIn(quickly_found()),
                         [](const auto& mutant) { return std::string(mutant.param.name); });

TEST(Mutants, AreFifteenAtLeastAndMostAreFoundQuickly) {
    EXPECT_GE(mutants().size(), 15U);
    EXPECT_GE(quickly_found().size(), 15U);
}

}  // namespace
}  // namespace trackops::sim
