// The output of a floor: one JSON line.
#pragma once
#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

namespace floors {

using SteadyClock = std::chrono::steady_clock;

inline double ms_since(SteadyClock::time_point start) {
    return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

// Prints the rate and the quantiles. `batches_ms` holds the duration of each batch. Throws if there
// is none.
inline void print(std::vector<double> batches_ms, int batch, double wall_ms) {
    if (batches_ms.empty()) throw std::runtime_error("not one batch in time");
    std::ranges::sort(batches_ms);
    const auto quantile = [&](double q) {
        return batches_ms[static_cast<std::size_t>(q * static_cast<double>(batches_ms.size() - 1))];
    };
    const auto done = static_cast<double>(batches_ms.size()) * batch;
    fmt::print("{{\"rate\": {:.0f}, \"p50_ms\": {:.2f}, \"p99_ms\": {:.2f}}}\n",
               done * 1e3 / wall_ms, quantile(0.5), quantile(0.99));
}

}  // namespace floors
