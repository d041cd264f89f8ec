// Runs the three services in simulated worlds. A program of its own, because `./dev up` need not
// build the simulator; `trackops sim` calls it.
#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "platform/config/help.hpp"
#include "platform/config/settings.hpp"
#include "platform/telemetry/log.hpp"
#include "sim/shrink.hpp"
#include "sim/simulation.hpp"

namespace trackops::apps {
namespace {

using config::Kind;
using trackops::sim::RunPlan;
using trackops::sim::RunResult;

constexpr std::int64_t faults_max = 1'000'000;

constexpr auto settings = std::to_array<config::Setting>({
    {"seed", Kind::text, "", "One seed to run."},
    {"seeds", Kind::text, "1..20", "The seeds to run, A..B, both included."},
    {"jobs", Kind::integer, "1", "Worlds at once, one a thread.", 1, 256},
    {"trace", Kind::flag, "false", "Tell the story of the seed, line by line."},
    {"customers", Kind::integer, "5", "Customers in a world.", 1, 100},
    {"actions", Kind::integer, "18", "What each of them does.", 1, 1000},
    {"faults", Kind::integer, "1000000", "After so many faults there is peace.", 0, faults_max},
    {"never", Kind::text, "", "Faults to leave out, separated by commas."},
    {"mutant", Kind::text, "", "A planted bug to find; 'list' names them, 'all' tries each."},
    {"coverage", Kind::flag, "false", "Fail when a fault never struck."},
    {"shrink", Kind::flag, "true", "Look for a smaller run that fails alike."},
    {"help", Kind::flag, "false", "Print this and stop."},
});

constexpr auto usage =
    "trackops sim [settings]\n"
    "Runs the order, inventory and relay services, two replicas each, on one thread in simulated\n"
    "worlds full of faults. A seed decides everything; a broken invariant prints its seed, and\n"
    "`trackops sim --seed N --trace` tells how it came to that.\n\n";

int print_usage_error(std::string_view what) {
    fmt::print(stderr, "trackops sim: {}\n", what);
    return 2;
}

struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<Range> read_range(std::string_view text) {
    const std::size_t dots = text.find("..");
    const auto first = number(text.substr(0, dots));
    const auto last = dots == std::string_view::npos ? first : number(text.substr(dots + 2));
    if (!first || !last || *last < *first) return std::nullopt;
    return Range{*first, *last};
}

// Excludes the named faults from the plan. Returns the first unknown name, or nothing if all are
// known.
std::optional<std::string> exclude_fault(std::string_view names, RunPlan& plan) {
    while (!names.empty()) {
        const std::size_t end = std::min(names.find(','), names.size());
        const std::string_view name = names.substr(0, end);
        names.remove_prefix(std::min(end + 1, names.size()));
        std::optional<trackops::sim::Fault> found;
        for (std::size_t i = 0; i < trackops::sim::fault_count; ++i) {
            const auto fault = static_cast<trackops::sim::Fault>(i);
            if (trackops::sim::name_of(fault) == name) found = fault;
        }
        if (!found) return std::string(name);
        plan.faults.never.push_back(*found);
    }
    return std::nullopt;
}

std::string command_of(std::uint64_t seed, const RunPlan& plan) {
    std::string text = fmt::format("trackops sim --seed {} --customers {} --actions {}", seed,
                                   plan.customers, plan.actions);
    if (plan.faults.most < faults_max) text += fmt::format(" --faults {}", plan.faults.most);
    std::string names;
    for (const auto fault : plan.faults.never) {
        names += names.empty() ? "" : ",";
        names += trackops::sim::name_of(fault);
    }
    if (!names.empty()) text += " --never " + names;
    if (plan.mutant != nullptr) text += fmt::format(" --mutant {}", plan.mutant->name);
    return text + " --trace";
}

// The summary of many runs.
struct Summary {
    trackops::sim::FaultCounts faults{};
    std::map<std::string, std::int64_t> states;
    std::int64_t orders = 0;
    std::int64_t steps = 0;
    std::vector<RunResult> broken;
    std::uint64_t hash = 0;

    void add(RunResult outcome) {
        for (std::size_t i = 0; i < faults.size(); ++i) faults[i] += outcome.faults[i];
        for (const auto& [state, count] : outcome.states) states[state] += count;
        orders += outcome.orders;
        steps += outcome.steps;
        hash ^= outcome.hash * (2 * outcome.seed + 1);
        if (outcome.violation) broken.push_back(std::move(outcome));
    }
};

// Runs each world on one thread. The order in which worlds end does not change the summary.
Summary run_all(const Range& range, const RunPlan& plan, std::int64_t jobs) {
    Summary summary;
    std::mutex mutex;
    std::atomic<std::uint64_t> next = range.first;
    std::vector<std::thread> threads;
    threads.reserve(static_cast<std::size_t>(jobs));
    for (std::int64_t i = 0; i < jobs; ++i) {
        threads.emplace_back([&] {
            for (auto seed = next++; seed <= range.last; seed = next++) {
                RunResult outcome = trackops::sim::simulate(seed, plan);
                const std::scoped_lock lock(mutex);
                if (outcome.violation)
                    fmt::print("seed {}: {}: {}\n", seed, outcome.violation->invariant,
                               outcome.violation->evidence);
                summary.add(std::move(outcome));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    return summary;
}

// Prints how often each fault occurred and the final statuses of orders, sagas and reservations.
// Returns the number of faults that never occurred.
int print_tables(const Summary& summary) {
    int missing = 0;
    fmt::print("\nfaults that struck\n");
    for (std::size_t i = 0; i < summary.faults.size(); ++i) {
        missing += summary.faults[i] == 0 ? 1 : 0;
        fmt::print("  {:<22}{:>10}{}\n",
                   trackops::sim::name_of(static_cast<trackops::sim::Fault>(i)), summary.faults[i],
                   summary.faults[i] == 0 ? "  NEVER" : "");
    }
    fmt::print("\nwhere it ended\n");
    for (const auto& [state, count] : summary.states) fmt::print("  {:<40}{:>10}\n", state, count);
    return missing;
}

int print_result(std::uint64_t seed, RunPlan plan) {
    plan.listener = [](std::string_view line) { fmt::print("{}\n", line); };
    const RunResult outcome = trackops::sim::simulate(seed, plan);
    fmt::print("trace {:016x}, {} steps, {} orders, {} faults\n", outcome.hash, outcome.steps,
               outcome.orders, outcome.fault_total);
    return outcome.violation ? 1 : 0;
}

// Runs seeds until each mutant is found, at most as many as the mutant promises. Returns the exit
// code.
int find_mutant(std::uint64_t first, RunPlan plan) {
    int missed = 0;
    fmt::print("{:<24}{:>6}{:>8}  {}\n", "mutant", "seeds", "at most", "invariant");
    for (const auto& mutant : trackops::sim::mutants()) {
        plan.mutant = &mutant;
        std::optional<RunResult> found;
        const auto last = first + static_cast<std::uint64_t>(mutant.seeds) - 1;
        for (auto seed = first; !found && seed <= last; ++seed) {
            RunResult outcome = trackops::sim::simulate(seed, plan);
            if (outcome.violation) found = std::move(outcome);
        }
        missed += found ? 0 : 1;
        fmt::print("{:<24}{:>6}{:>8}  {}\n", mutant.name,
                   found ? fmt::to_string(found->seed - first + 1) : "-", mutant.seeds,
                   found ? found->violation->invariant : "NOT FOUND");
        std::fflush(stdout);
    }
    return missed == 0 ? 0 : 1;
}

int list_mutants() {
    for (const auto& mutant : trackops::sim::mutants())
        fmt::print("{:<24}{}\n", mutant.name, mutant.bug);
    return 0;
}

int run_range(const Range& range, const RunPlan& plan, const config::Values& values) {
    const auto start = std::chrono::steady_clock::now();
    const Summary summary = run_all(range, plan, values.integer("jobs"));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const int missing = print_tables(summary);
    fmt::print(
        "\n{} worlds, {} broken; {} orders, {} steps in {:.1f} s ({:.0f} orders/s)\n"
        "traces {:016x}\n",
        range.last - range.first + 1, summary.broken.size(), summary.orders, summary.steps,
        took.count(), static_cast<double>(summary.orders) / took.count(), summary.hash);
    if (!summary.broken.empty()) {
        const auto& first = *std::ranges::min_element(summary.broken, {}, &RunResult::seed);
        const RunPlan least = values.flag("shrink")
                                  ? trackops::sim::shrink(first.seed, plan, *first.violation)
                                  : plan;
        fmt::print("\n{}\nreplay: {}\n", first.violation->evidence, command_of(first.seed, least));
    }
    if (values.flag("coverage") && missing > 0)
        fmt::print("{} faults never struck: more seeds, or a dead fault point\n", missing);
    return !summary.broken.empty() || (values.flag("coverage") && missing > 0) ? 1 : 0;
}

int run(std::span<const std::string> arguments) {
    const auto values = config::read(settings, arguments, {});
    if (!values) return print_usage_error(values.error().detail);
    if (values->flag("help")) {
        fmt::print("{}{}", usage, config::help(settings));
        return 0;
    }
    telemetry::configure_log("sim", telemetry::Level::off, false);
    RunPlan plan{.customers = static_cast<int>(values->integer("customers")),
                 .actions = static_cast<int>(values->integer("actions")),
                 .faults = {.most = values->integer("faults")}};
    if (const auto unknown = exclude_fault(values->text("never"), plan))
        return print_usage_error("no fault is called '" + *unknown + "'");
    const std::string& mutant = values->text("mutant");
    if (mutant == "list") return list_mutants();
    if (!mutant.empty() && mutant != "all") {
        plan.mutant = trackops::sim::mutant_named(mutant);
        if (plan.mutant == nullptr)
            return print_usage_error("no mutant is called '" + mutant + "'");
    }
    const std::string& one = values->text("seed");
    const auto range = read_range(one.empty() ? values->text("seeds") : one);
    if (!range) return print_usage_error("seeds are numbers: --seed 7, --seeds 1..200");
    if (mutant == "all") return find_mutant(range->first, plan);
    if (values->flag("trace")) return print_result(range->first, plan);
    return run_range(*range, plan, *values);
}

}  // namespace
}  // namespace trackops::apps

// Returns the exit code: 0, 1 if an invariant was broken or a fault never occurred, or 2 for bad
// arguments.
int main(int argc, char** argv) {
    return trackops::apps::run(std::vector<std::string>(argv + 1, argv + argc));
}
