// The span of a batch: commands of several traces that share one transaction.
#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

#include "platform/telemetry/tracer.hpp"

namespace trackops::telemetry {

// Lives as long as the work on the batch. At its end each sampled trace of the batch gets a span
// with the same times: a child of its command's span, so that one trace tells the whole story of
// its command. The first of these spans links to the commands' spans of the other traces, at most
// Span::links_max, and each other one links to the first, so a batch of n writes 2n links at most.
// A batch that was slow or ended in an exception gives a partial span to the unsampled traces, too.
// Allocates nothing for unsampled commands.
class BatchSpan {
public:
    // `tracer` null: does nothing. `name` is static. `commands` live as long as this object; each
    // has a member `trace.traceparent`.
    template <class Command>
    BatchSpan(Tracer* tracer, std::string_view name, std::span<const Command> commands)
        : tracer_(tracer), name_(name) {
        if (tracer_ == nullptr) return;
        size_ = commands.size();
        traceparent_of_ = [first = commands.data()](std::size_t i) -> std::string_view {
            return first[i].trace.traceparent;
        };
        begin();
    }
    ~BatchSpan() {
        if (tracer_ != nullptr) end();
    }
    BatchSpan(const BatchSpan&) = delete;
    BatchSpan& operator=(const BatchSpan&) = delete;

private:
    void begin();
    void end();

    Tracer* const tracer_;
    const std::string_view name_;
    std::size_t size_ = 0;
    std::function<std::string_view(std::size_t)> traceparent_of_;
    int exceptions_ = 0;  // in flight at the start
    Instant start_;
};

}  // namespace trackops::telemetry
