#include "platform/telemetry/batch_span.hpp"

#include <exception>
#include <utility>
#include <vector>

namespace trackops::telemetry {

void BatchSpan::begin() {
    exceptions_ = std::uncaught_exceptions();
    start_ = tracer_->now();
}

void BatchSpan::end() {
    const bool has_failed = std::uncaught_exceptions() > exceptions_;
    const Instant now = tracer_->now();
    const bool takes_all = has_failed || tracer_->is_slow(now - start_);
    std::vector<SpanContext> commands;
    for (std::size_t i = 0; i < size_; ++i) {
        const std::string_view traceparent = traceparent_of_(i);
        if (!takes_all && !is_sampled(traceparent)) continue;
        if (const auto command = parse_traceparent(traceparent)) commands.push_back(*command);
    }
    SpanContext first;
    for (const SpanContext& command : commands) {
        Span span{.context = tracer_->child_of(command),
                  .parent = command.span_id,
                  .name = std::string(name_),
                  .start = start_,
                  .end = now,
                  .has_failed = has_failed,
                  .attributes = {{"trackops.batch.size", static_cast<std::int64_t>(size_)}}};
        if (first.is_valid()) {
            span.links.push_back(first);
        } else {
            first = span.context;
            for (const SpanContext& other : commands) {
                if (other == command || span.links.size() == Span::links_max) continue;
                span.links.push_back(other);
            }
        }
        tracer_->end(std::move(span));
    }
}

}  // namespace trackops::telemetry
