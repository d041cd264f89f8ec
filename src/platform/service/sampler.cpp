#include "platform/service/sampler.hpp"

#include <algorithm>
#include <chrono>

namespace trackops::service {

Duration Sampler::interval_after(Duration took) {
    constexpr int share = 20;  // the asking is at most one part in this number
    return std::clamp(took * share, interval_min, interval_max);
}

runtime::Progress Sampler::run(Duration) {
    const auto began = std::chrono::steady_clock::now();
    component_.sample();
    const auto took = std::chrono::steady_clock::now() - began;
    return {1, interval_after(std::chrono::ceil<Duration>(took))};
}

}  // namespace trackops::service
