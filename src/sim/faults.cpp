#include "sim/faults.hpp"

#include <algorithm>

namespace trackops::sim {
namespace {

struct Kind {
    Fault fault;
    std::string_view name;
    // The probability at each opportunity, in a run with strength 1.
    double rate;
};

constexpr auto kinds = std::to_array<Kind>({
    {Fault::sql_refused, "sql_refused", 0.01},
    {Fault::sql_lost, "sql_lost", 0.008},
    {Fault::sql_repeat, "sql_repeat", 0.02},
    {Fault::sql_disk_full, "sql_disk_full", 0.008},
    {Fault::sql_commit_lost, "sql_commit_lost", 0.015},
    {Fault::sql_answer_lost, "sql_answer_lost", 0.015},
    {Fault::sql_outage, "sql_outage", 0.15},
    {Fault::bus_send_lost, "bus_send_lost", 0.03},
    {Fault::bus_ack_lost, "bus_ack_lost", 0.03},
    {Fault::bus_duplicated, "bus_duplicated", 0.03},
    {Fault::bus_slow, "bus_slow", 0.08},
    {Fault::bus_rebalance, "bus_rebalance", 0.01},
    {Fault::bus_offset_lost, "bus_offset_lost", 0.05},
    {Fault::bus_outage, "bus_outage", 0.15},
    {Fault::cache_away, "cache_away", 0.05},
    {Fault::cache_evicts, "cache_evicts", 0.05},
    {Fault::cache_stale, "cache_stale", 0.2},
    {Fault::crash_at_begin, "crash_at_begin", 0.0015},
    {Fault::crash_at_flush, "crash_at_flush", 0.002},
    {Fault::crash_before_commit, "crash_before_commit", 0.004},
    {Fault::crash_after_commit, "crash_after_commit", 0.004},
    {Fault::crash_before_send, "crash_before_send", 0.01},
    {Fault::crash_in_burst, "crash_in_burst", 0.01},
    {Fault::crash_after_ack, "crash_after_ack", 0.015},
    {Fault::crash_after_poll, "crash_after_poll", 0.008},
    {Fault::crash_before_offset, "crash_before_offset", 0.008},
    {Fault::crash_after_offset, "crash_after_offset", 0.008},
    {Fault::crash_at_cache, "crash_at_cache", 0.002},
    {Fault::stop, "stop", 0.1},
    {Fault::clock_jump, "clock_jump", 0.2},
    {Fault::preempted, "overtaken", 0.2},
    {Fault::request_lost, "request_lost", 0.03},
    {Fault::request_duplicated, "request_duplicated", 0.1},
    {Fault::answer_lost, "answer_lost", 0.05},
    {Fault::sql_commit_late, "sql_commit_late", 0.1},
    {Fault::sql_slow, "sql_slow", 0.05},
    {Fault::bus_refuses, "bus_refuses", 0.12},
    {Fault::cache_late, "cache_late", 0.3},
});
static_assert(kinds.size() == fault_count);
static_assert([] {
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        if (static_cast<std::size_t>(kinds[i].fault) != i) return false;
    }
    return true;
}());

}  // namespace

std::string_view name_of(Fault fault) { return kinds[static_cast<std::size_t>(fault)].name; }

Faults::Faults(std::uint64_t seed, const FaultPlan& plan) : most_(plan.most) {
    RandomStream profile(seed, "faults");
    constexpr std::array<double, 4> strengths = {0, 0.3, 1, 3};
    for (const Kind& kind : kinds) {
        const double strength = profile.pick(strengths);
        const bool is_out = std::ranges::find(plan.never, kind.fault) != plan.never.end();
        rates_[static_cast<std::size_t>(kind.fault)] = is_out ? 0 : strength * kind.rate;
        random_streams_.emplace_back(seed, kind.name);
    }
}

bool Faults::is_possible(Fault fault) const {
    return !is_fault_free_ && total_ < most_ && rates_[static_cast<std::size_t>(fault)] > 0;
}

bool Faults::occurs(Fault fault) {
    const auto i = static_cast<std::size_t>(fault);
    if (!is_possible(fault) || !random_streams_[i].happens(rates_[i])) return false;
    ++counts_[i];
    ++total_;
    return true;
}

}  // namespace trackops::sim
