// Decides which traces a service records, and takes its spans. A null pointer to a tracer means
// that traces are off; then a span costs one branch.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "platform/telemetry/export_queue.hpp"
#include "platform/telemetry/span.hpp"

namespace trackops::telemetry {

class Counter;
class Registry;

// How a trace is chosen at its root, which is the first service that sees it.
struct Sampling {
    // The share of the traces that are recorded, 0 to 1. The trace id alone decides.
    double ratio = 0.01;
    // Whether the flag of an incoming traceparent decides in place of the ratio.
    bool follows_parent = true;
};
// Returns the sampling that OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG name, such as
// parentbased_traceidratio and 0.01; nothing for any other name, or a ratio out of 0 to 1.
std::optional<Sampling> parse_sampling(std::string_view name, std::string_view argument);

struct TracerOptions {
    Sampling sampling = {};
    // A span of at least this time is sent whether its trace is sampled or not.
    Duration slow = std::chrono::seconds(1);
    std::string messaging_system = "kafka";  // in the spans of messages
    ExportQueueLimits queue = {};
};

// Metrics:
// - trackops_traces_dropped_total {reason="queue_full"}: spans for which the queue had no room
// - trackops_traces_queued_spans
// Nobody may scrape `metrics` after the end of the tracer. Thread-safe.
class Tracer {
public:
    // `clock` and `metrics` outlive the tracer.
    Tracer(TracerOptions options, const Clock& clock, Registry& metrics);

    // Decides for a request. `parent`: the span that its traceparent names; nothing at a root.
    bool samples(const TraceId& trace, const std::optional<SpanContext>& parent) const;
    // Returns a new span of the parent's trace, with its flags.
    SpanContext child_of(const SpanContext& parent);
    // Returns whether a span is sent: it is sampled, or it was slow or has failed.
    bool is_sent(const Span& span) const {
        return span.context.is_sampled() || span.has_failed || is_slow(span.end - span.start);
    }
    bool is_slow(Duration took) const { return took >= options_.slow; }
    // Queues a span if it is sent, and marks one of an unsampled trace with trackops.partial.
    // Drops it, and counts that, if the queue is full.
    void end(Span span);

    Instant now() const { return clock_.now(); }
    const std::string& messaging_system() const { return options_.messaging_system; }
    ExportQueue<Span>& queue() { return queue_; }

private:
    const TracerOptions options_;
    const std::uint64_t threshold_;
    const Clock& clock_;
    Counter& dropped_;
    ExportQueue<Span> queue_;
    std::atomic<std::uint64_t> last_id_;
};

}  // namespace trackops::telemetry
