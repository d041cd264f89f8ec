// Measures the domain rules alone: an order is placed and confirmed, a reservation is decided.
#include <benchmark/benchmark.h>

#include "bench/sample_order.hpp"
#include "inventory/domain/reservation.hpp"
#include "order/domain/order_aggregate.hpp"
#include "platform/runtime/system_clock.hpp"

namespace trackops {
namespace {

struct CommandContext {
    runtime::SystemClock clock;
    runtime::RandomIds ids{clock};
    order::domain::OrderId order{ids.next()};
    order::domain::SagaId saga{ids.next()};
    order::domain::CommandContext at{
        .now = clock.now(), .actor = "anonymous", .trace = bench::trace_of(ids), .timeouts = {}};
    order::domain::OrderTerms terms =
        bench::two_lines(ids, order::domain::CustomerId{ids.next().text()}).terms;
};

void place_order(benchmark::State& state) {
    const CommandContext context;
    for (auto _ : state) {
        auto record = order::domain::place(context.terms, context.order, context.saga, context.at);
        benchmark::DoNotOptimize(record);
    }
}
BENCHMARK(place_order);

// Includes a copy of the aggregate.
void confirm_order(benchmark::State& state) {
    const CommandContext context;
    const auto placed =
        order::domain::place(context.terms, context.order, context.saga, context.at);
    for (auto _ : state) {
        order::domain::OrderAggregate record = *placed;
        order::domain::apply_reservation_outcome(
            record, order::domain::ReservationOutcome::reserved, context.at);
        benchmark::DoNotOptimize(record);
    }
}
BENCHMARK(confirm_order);

void decide_reservation(benchmark::State& state) {
    CommandContext context;
    inventory::domain::StockLevels stock_levels{{"P-1001", {inventory::domain::max_units, 0}},
                                                {"P-2002", {inventory::domain::max_units, 0}}};
    const inventory::domain::OrderMessage message{inventory::domain::OrderId(context.ids.next()),
                                                  inventory::domain::ReservationCommand::create,
                                                  {{"P-1001", 2}, {"P-2002", 1}}};
    const inventory::domain::CommandContext when{
        inventory::domain::ReservationId(context.ids.next()), context.at.now};
    for (auto _ : state) {
        inventory::domain::Reservation reservation{.order_id = message.order_id};
        auto decision = inventory::domain::decide(reservation, stock_levels, message, when);
        benchmark::DoNotOptimize(decision);
    }
}
BENCHMARK(decide_reservation);

}  // namespace
}  // namespace trackops
