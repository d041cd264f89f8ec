// Measures what group commit adds to a command: the way to the executing thread and back.
#include "platform/runtime/combiner.hpp"

#include <atomic>
#include <stop_token>
#include <thread>

#include <benchmark/benchmark.h>

namespace trackops {
namespace {

using Echo = runtime::Combiner<int, int>;

std::vector<int> process(std::span<const int> batch) { return {batch.begin(), batch.end()}; }

// One command at a time. Each one wakes two sleeping threads.
void combiner_round_trip(benchmark::State& state) {
    Echo combiner({}, process, [] { return 0; });
    const std::jthread worker([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) combiner.run(std::chrono::milliseconds(10));
    });
    for (auto _ : state) {
        std::atomic<bool> is_done = false;
        (void)combiner.submit(1, [&](int) {
            is_done = true;
            is_done.notify_one();
        });
        is_done.wait(false);
    }
}
BENCHMARK(combiner_round_trip)->UseRealTime();

// A full batch from one thread: the cost without the wake-ups.
void combiner_batch_of_128(benchmark::State& state) {
    Echo combiner({}, process, [] { return 0; });
    for (auto _ : state) {
        int done = 0;
        for (int i = 0; i < 128; ++i) (void)combiner.submit(i, [&done](int) { ++done; });
        combiner.run(Duration::zero());
        benchmark::DoNotOptimize(done);
    }
}
BENCHMARK(combiner_batch_of_128);

}  // namespace
}  // namespace trackops
