// The rules alone: an order is placed, confirmed; a reservation is decided.
#include <benchmark/benchmark.h>

#include "bench/sample_order.hpp"
#include "inventory/domain/reservation.hpp"
#include "order/domain/record.hpp"
#include "platform/runtime/system.hpp"

namespace trackops {
namespace {

struct Occasion {
    runtime::SystemClock clock;
    runtime::RandomIds ids{clock};
    order::domain::OrderId order{ids.next()};
    order::domain::SagaId saga{ids.next()};
    order::domain::Circumstances at{
        .now = clock.now(), .actor = "anonymous", .trace = bench::trace_of(ids), .patience = {}};
    order::domain::Draft draft = bench::two_lines(ids, order::domain::CustomerId(ids.next())).draft;
};

void place_order(benchmark::State& state) {
    const Occasion occasion;
    for (auto _ : state) {
        auto record =
            order::domain::place(occasion.draft, occasion.order, occasion.saga, occasion.at);
        benchmark::DoNotOptimize(record);
    }
}
BENCHMARK(place_order);

// Copying the record is part of it.
void confirm_order(benchmark::State& state) {
    const Occasion occasion;
    const auto placed =
        order::domain::place(occasion.draft, occasion.order, occasion.saga, occasion.at);
    for (auto _ : state) {
        order::domain::OrderRecord record = *placed;
        order::settle(record, order::domain::StockAnswer::reserved, occasion.at);
        benchmark::DoNotOptimize(record);
    }
}
BENCHMARK(confirm_order);

void decide_reservation(benchmark::State& state) {
    Occasion occasion;
    inventory::domain::Shelves shelves{{"P-1001", {inventory::domain::max_units, 0}},
                                       {"P-2002", {inventory::domain::max_units, 0}}};
    const inventory::domain::OrderMessage message{inventory::domain::OrderId(occasion.ids.next()),
                                                  inventory::domain::Ask::create,
                                                  {{"P-1001", 2}, {"P-2002", 1}}};
    const inventory::domain::Occasion when{inventory::domain::ReservationId(occasion.ids.next()),
                                           occasion.at.now};
    for (auto _ : state) {
        inventory::domain::Reservation reservation{.order_id = message.order_id};
        auto decision = inventory::decide(reservation, shelves, message, when);
        benchmark::DoNotOptimize(decision);
    }
}
BENCHMARK(decide_reservation);

}  // namespace
}  // namespace trackops
