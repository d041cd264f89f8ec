#include "platform/bus/consume_spans.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace trackops::bus {
namespace {

std::string* traceparent_of(Message& message) {
    const auto found = std::ranges::find(message.headers, "traceparent", &Header::name);
    return found == message.headers.end() ? nullptr : &found->value;
}

}  // namespace

ConsumeSpans::ConsumeSpans(telemetry::Tracer* tracer, std::string_view group,
                           std::span<Message> batch)
    : tracer_(tracer), group_(group), batch_(batch) {
    if (tracer_ == nullptr) return;
    start_ = tracer_->now();
    for (std::size_t i = 0; i < batch_.size(); ++i) {
        std::string* const traceparent = traceparent_of(batch_[i]);
        if (traceparent == nullptr || !telemetry::is_sampled(*traceparent)) continue;
        const auto sender = telemetry::parse_traceparent(*traceparent);
        if (!sender) continue;
        begun_.push_back({i, *sender, tracer_->child_of(*sender)});
        telemetry::write_traceparent(begun_.back().span, *traceparent);
    }
}

void ConsumeSpans::end(std::span<const Disposition> dispositions) {
    if (tracer_ == nullptr) return;
    const Instant now = tracer_->now();
    const bool is_slow = tracer_->is_slow(now - start_);
    auto next = begun_.begin();
    for (std::size_t i = 0; i < batch_.size(); ++i) {
        if (next != begun_.end() && next->message == i) {
            telemetry::write_traceparent(next->sender, *traceparent_of(batch_[i]));
            end_one(*next++, dispositions[i], now);
        } else if (is_slow || std::holds_alternative<DeadLetter>(dispositions[i])) {
            const auto sender = telemetry::parse_traceparent(batch_[i].header("traceparent"));
            if (sender) end_one({i, *sender, tracer_->child_of(*sender)}, dispositions[i], now);
        }
    }
}

void ConsumeSpans::end_one(const Begun& begun, const Disposition& disposition, Instant now) {
    const Message& message = batch_[begun.message];
    telemetry::Span span{
        .context = begun.span,
        .parent = begun.sender.span_id,
        .tracestate = std::string(message.header("tracestate")),
        .name = "process " + message.topic,
        .kind = telemetry::SpanKind::consumer,
        .start = start_,
        .end = now,
        .has_failed = !std::holds_alternative<Done>(disposition),
        .attributes = {{"messaging.system", tracer_->messaging_system()},
                       {"messaging.operation.name", std::string("process")},
                       {"messaging.operation.type", std::string("process")},
                       {"messaging.destination.name", message.topic},
                       {"messaging.destination.partition.id", fmt::to_string(message.partition)},
                       {"messaging.consumer.group.name", std::string(group_)},
                       {"messaging.message.id", std::string(message.header("ce_id"))},
                       {"messaging.kafka.message.key", message.key},
                       {"messaging.kafka.offset", message.offset}}};
    if (std::holds_alternative<DeadLetter>(disposition))
        span.attributes.push_back({"error.type", std::string("dead_letter")});
    if (std::holds_alternative<RetryLater>(disposition))
        span.attributes.push_back({"error.type", std::string("retry_later")});
    tracer_->end(std::move(span));
}

}  // namespace trackops::bus
