// Measures what the edge does to know the caller by a key.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "platform/access/callers.hpp"
#include "platform/access/key_text.hpp"
#include "platform/runtime/system_clock.hpp"

namespace trackops {
namespace {

void identify_caller(benchmark::State& state) {
    const runtime::SystemClock clock;
    access::AccessFile file;
    http::Request request;
    request.headers = {{"host", "127.0.0.1:8080"}, {"content-type", "application/json"}};
    for (int i = 0; i < 1000; ++i) {
        const access::NewKey key = access::make_key();
        file.keys.push_back({.name = fmt::format("n{}", i),
                             .id = key.id,
                             .digest = key.digest,
                             .scopes = {http::Scope::orders_write},
                             .not_after = clock.now() + std::chrono::hours(1)});
        if (i == 500) request.headers.emplace_back("authorization", "Bearer " + key.text.reveal());
    }
    const access::Callers callers(std::move(file));
    for (auto _ : state) {
        auto found = callers.identify(request, clock.now());
        benchmark::DoNotOptimize(found);
        if (found.outcome != access::Outcome::accepted) state.SkipWithError("refused");
    }
}
BENCHMARK(identify_caller);

}  // namespace
}  // namespace trackops
