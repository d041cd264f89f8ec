// The spans of published events: the wait in the outbox and the sending.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "platform/bus/bus.hpp"
#include "platform/outbox/event.hpp"
#include "platform/telemetry/tracer.hpp"

namespace trackops::relay {

// The spans of one burst. The wait begins when the event occurred, as its row says, and is a child
// of the span in the row's traceparent; the sending is a child of the wait. The message carries the
// sending's span. Tries that the bus did not take belong to the wait. Events of unsampled traces
// have no spans and keep their traceparent.
class PublishSpans {
public:
    // `tracer` null: does nothing.
    explicit PublishSpans(telemetry::Tracer* tracer);
    // Call it once for each message of the burst, in order. `event` keeps its place in memory until
    // end().
    void add(const outbox::Event& event, bus::OutgoingMessage& message);
    // Ends the spans of the messages that the bus has acknowledged or refused.
    void end(std::span<const bus::Delivery> deliveries);

private:
    struct Begun {
        std::size_t message;
        const outbox::Event* event;
        telemetry::SpanContext origin;
        telemetry::SpanContext wait;
        telemetry::SpanContext sending;
    };
    void end_one(const Begun& begun, bool is_refused, Instant now);

    telemetry::Tracer* const tracer_;
    std::size_t added_ = 0;
    std::vector<Begun> begun_;  // of the sampled events
    Instant start_;
};

}  // namespace trackops::relay
