#include "platform/runtime/system_clock.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <mutex>
#include <system_error>
#include <unistd.h>

namespace trackops::runtime {
namespace {

constexpr std::int64_t micros_per_ms = 1000;
constexpr std::uint64_t low_mask = (std::uint64_t{1} << 62) - 1;
// Of 12 bits; the top bit is room for counting up.
constexpr std::uint64_t high_mask = (std::uint64_t{1} << 11) - 1;

// Random numbers from the kernel, fetched as many at a time as one uninterruptible call returns.
class KernelRandom {
public:
    template <class Number>
    Number next() {
        if (used_ + sizeof(Number) > bytes_.size()) fill();
        Number number;
        std::memcpy(&number, bytes_.data() + used_, sizeof number);
        used_ += sizeof number;
        return number;
    }

private:
    void fill() {
        if (getentropy(bytes_.data(), bytes_.size()) != 0) {
            throw std::system_error(errno, std::generic_category(), "getentropy");
        }
        used_ = 0;
    }

    std::array<std::byte, 256> bytes_;
    std::size_t used_ = bytes_.size();
};

}  // namespace

Instant SystemClock::now() const {
    return {
        std::chrono::floor<Duration>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

struct RandomIds::State {
    const Clock& clock;
    std::mutex mutex;
    KernelRandom random = {};
    std::int64_t ms = std::numeric_limits<std::int64_t>::min();
    std::uint64_t high = 0;
    std::uint64_t low = 0;
};

RandomIds::RandomIds(const Clock& clock) : state_(new State{.clock = clock}) {}
RandomIds::~RandomIds() = default;

Uuid RandomIds::next() {
    State& state = *state_;
    const std::scoped_lock lock(state.mutex);
    const std::int64_t ms = state.clock.now().micros / micros_per_ms;
    if (ms > state.ms) {
        state.ms = ms;
        state.high = state.random.next<std::uint64_t>() & high_mask;
        state.low = state.random.next<std::uint64_t>() & low_mask;
    } else {
        // Steps of 32 random bits allow 2^41 ids in one millisecond before the 12 bits of `high`
        // are used up.
        state.low += std::uint64_t{1} + state.random.next<std::uint32_t>();
        state.high += state.low > low_mask ? 1 : 0;
        state.low &= low_mask;
    }
    return uuid_v7({state.ms * micros_per_ms}, state.high, state.low);
}

}  // namespace trackops::runtime
