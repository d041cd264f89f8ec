// Measures the conversions of an event: struct to JSON, outbox row to message, JSON to struct.
#include "events/events.hpp"

#include <benchmark/benchmark.h>

#include "bench/sample_order.hpp"
#include "events/decode.hpp"
#include "events/encode.hpp"
#include "platform/relay/message.hpp"
#include "platform/relay/relay.hpp"
#include "platform/runtime/system_clock.hpp"

namespace trackops {
namespace {

events::OrderCreated sample_event() {
    const runtime::SystemClock clock;
    runtime::RandomIds ids{clock};
    return {.order_id = ids.next(),
            .version = 1,
            .customer_id = ids.next().text(),
            .currency = "GBP",
            .total_amount_minor = 14997,
            .items = {{"P-1001", 2, 6499}, {"P-2002", 1, 1999}},
            .created_at = clock.now()};
}

void encode_event(benchmark::State& state) {
    const events::Event event = sample_event();
    for (auto _ : state) {
        auto text = events::encode(event);
        benchmark::DoNotOptimize(text);
    }
}
BENCHMARK(encode_event);

void decode_event(benchmark::State& state) {
    const std::string text = events::encode(sample_event());
    for (auto _ : state) {
        auto event = events::decode(events::OrderCreated::type, text);
        benchmark::DoNotOptimize(event);
    }
}
BENCHMARK(decode_event);

void event_to_message(benchmark::State& state) {
    const runtime::SystemClock clock;
    runtime::RandomIds ids{clock};
    const Trace trace = bench::trace_of(ids);
    const outbox::Event event{.id = ids.next(),
                              .type = std::string(events::OrderCreated::type),
                              .key = ids.next(),
                              .sequence = 1,
                              .payload = events::encode(sample_event()),
                              .occurred_at = clock.now(),
                              .correlation_id = trace.correlation_id,
                              .causation_id = trace.causation_id,
                              .traceparent = trace.traceparent,
                              .tracestate = trace.tracestate};
    for (auto _ : state) {
        auto message = relay::to_message(event, "/trackops/orders");
        benchmark::DoNotOptimize(message);
    }
}
BENCHMARK(event_to_message);

}  // namespace
}  // namespace trackops
