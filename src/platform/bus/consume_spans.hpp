// The spans of consumed messages.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/bus/consumer.hpp"
#include "platform/telemetry/tracer.hpp"

namespace trackops::bus {

// The spans of one batch, from its first message's handling to the handler's return. Each is a
// child of the span in the message's traceparent, which is that of the sender. While the handler
// runs, the traceparent of a sampled message names the new span, so that what the handler causes
// hangs below it. A message of an unsampled trace has a span only if the batch was slow or the
// message is a dead letter. A message without a traceparent has none. `batch` keeps its place in
// memory until end().
class ConsumeSpans {
public:
    // `tracer` null: does nothing.
    ConsumeSpans(telemetry::Tracer* tracer, std::string_view group, std::span<Message> batch);
    // Puts the senders' spans back into the messages, and ends the spans of the batch.
    void end(std::span<const Disposition> dispositions);

private:
    struct Begun {
        std::size_t message;
        telemetry::SpanContext sender;
        telemetry::SpanContext span;
    };
    void end_one(const Begun& begun, const Disposition& disposition, Instant now);

    telemetry::Tracer* const tracer_;
    const std::string_view group_;
    const std::span<Message> batch_;
    std::vector<Begun> begun_;  // of the sampled messages, in the order of the batch
    Instant start_;
};

}  // namespace trackops::bus
