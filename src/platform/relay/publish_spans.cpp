#include "platform/relay/publish_spans.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace trackops::relay {

PublishSpans::PublishSpans(telemetry::Tracer* tracer) : tracer_(tracer) {
    if (tracer_ != nullptr) start_ = tracer_->now();
}

void PublishSpans::add(const outbox::Event& event, bus::OutgoingMessage& message) {
    if (tracer_ == nullptr) return;
    const std::size_t at = added_++;
    if (!telemetry::is_sampled(event.traceparent)) return;
    const auto origin = telemetry::parse_traceparent(event.traceparent);
    const auto header = std::ranges::find(message.headers, "traceparent", &bus::Header::name);
    if (!origin || header == message.headers.end()) return;
    const telemetry::SpanContext wait = tracer_->child_of(*origin);
    begun_.push_back({at, &event, *origin, wait, tracer_->child_of(wait)});
    telemetry::write_traceparent(begun_.back().sending, header->value);
}

void PublishSpans::end(std::span<const bus::Delivery> deliveries) {
    if (begun_.empty()) return;
    const Instant now = tracer_->now();
    for (const Begun& begun : begun_) {
        const bus::Delivery delivery = deliveries[begun.message];
        if (delivery != bus::Delivery::unavailable)
            end_one(begun, delivery == bus::Delivery::refused, now);
    }
}

void PublishSpans::end_one(const Begun& begun, bool is_refused, Instant now) {
    const outbox::Event& event = *begun.event;
    tracer_->end({.context = begun.wait,
                  .parent = begun.origin.span_id,
                  .tracestate = event.tracestate,
                  .name = "outbox " + event.type,
                  // The clocks of two hosts may differ.
                  .start = std::min(event.occurred_at, start_),
                  .end = start_,
                  .attributes = {{"trackops.event.id", event.id.text()},
                                 {"trackops.event.sequence", event.sequence}}});
    telemetry::Span sending{.context = begun.sending,
                            .parent = begun.wait.span_id,
                            .tracestate = event.tracestate,
                            .name = "send " + event.type,
                            .kind = telemetry::SpanKind::producer,
                            .start = start_,
                            .end = now,
                            .has_failed = is_refused,
                            .attributes = {{"messaging.system", tracer_->messaging_system()},
                                           {"messaging.operation.name", std::string("send")},
                                           {"messaging.operation.type", std::string("send")},
                                           {"messaging.destination.name", event.type},
                                           {"messaging.message.id", event.id.text()},
                                           {"messaging.kafka.message.key", event.key.text()}}};
    if (is_refused) sending.attributes.push_back({"error.type", std::string("refused")});
    tracer_->end(std::move(sending));
}

}  // namespace trackops::relay
