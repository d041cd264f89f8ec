#include "platform/telemetry/tracer.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <utility>

#include "platform/telemetry/metrics.hpp"

namespace trackops::telemetry {
namespace {

constexpr std::uint64_t golden_ratio = 0x9e3779b97f4a7c15;

// SplitMix64's finaliser: a permutation of the 64-bit numbers whose results look random.
constexpr std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

// A trace id may hold a time or a counter, so no bits of it are taken as random: both halves are
// mixed. The specification leaves the function open.
std::uint64_t draw_of(const TraceId& trace) {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, trace.data(), 8);
    std::memcpy(&low, trace.data() + 8, 8);
    return mix(mix(high + golden_ratio) ^ low);
}

// A trace is recorded if its draw lies below the threshold, or the threshold is the maximum.
std::uint64_t threshold_of(double ratio) {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    if (ratio >= 1) return most;
    return static_cast<std::uint64_t>(std::ldexp(ratio, 64));
}

std::uint64_t random_start() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

struct Name {
    std::string_view name;
    double ratio;  // negative: the argument
    bool follows_parent;
};
constexpr auto names = std::to_array<Name>({{"always_on", 1, false},
                                            {"always_off", 0, false},
                                            {"traceidratio", -1, false},
                                            {"parentbased_always_on", 1, true},
                                            {"parentbased_always_off", 0, true},
                                            {"parentbased_traceidratio", -1, true}});

}  // namespace

std::optional<Sampling> parse_sampling(std::string_view name, std::string_view argument) {
    for (const Name& known : names) {
        if (known.name != name) continue;
        if (known.ratio >= 0) return Sampling{known.ratio, known.follows_parent};
        double ratio = 0;
        const char* const end = argument.data() + argument.size();
        const auto [at, fault] = std::from_chars(argument.data(), end, ratio);
        if (fault != std::errc{} || at != end || !(ratio >= 0 && ratio <= 1)) return std::nullopt;
        return Sampling{ratio, known.follows_parent};
    }
    return std::nullopt;
}

Tracer::Tracer(TracerOptions options, const Clock& clock, Registry& metrics)
    : options_(std::move(options)),
      threshold_(threshold_of(options_.sampling.ratio)),
      clock_(clock),
      dropped_(metrics.counter("trackops_traces_dropped_total", "Spans that were not sent.",
                               {{"reason", "queue_full"}})),
      queue_(options_.queue),
      last_id_(random_start()) {
    metrics.on_scrape([this, &queued = metrics.gauge("trackops_traces_queued_spans",
                                                     "Spans that wait to be sent.")] {
        queued.set(static_cast<double>(queue_.size()));
    });
}

bool Tracer::samples(const TraceId& trace, const std::optional<SpanContext>& parent) const {
    if (parent && options_.sampling.follows_parent) return parent->is_sampled();
    return threshold_ == std::numeric_limits<std::uint64_t>::max() || draw_of(trace) < threshold_;
}

SpanContext Tracer::child_of(const SpanContext& parent) {
    SpanContext child = parent;
    std::uint64_t id = 0;
    while (id == 0) id = mix(last_id_.fetch_add(golden_ratio, std::memory_order_relaxed));
    std::memcpy(child.span_id.data(), &id, child.span_id.size());
    return child;
}

void Tracer::end(Span span) {
    if (!is_sent(span)) return;
    if (!span.context.is_sampled()) span.attributes.push_back({"trackops.partial", true});
    if (!queue_.put(std::move(span))) dropped_.add();
}

}  // namespace trackops::telemetry
