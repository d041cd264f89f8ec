// The real clock and real chance.
#pragma once
#include <memory>

#include "base/clock.hpp"
#include "base/ids.hpp"

namespace trackops::runtime {

class SystemClock final : public Clock {
public:
    Instant now() const override;
};

// UUIDv7s from the clock and the kernel's random numbers. The ids of one object ascend, also within
// a millisecond and when the clock steps back (then the time in them stands still); each is
// unpredictable by at least 32 bits from the one before.
class RandomIds final : public Ids {
public:
    explicit RandomIds(const Clock& clock);  // outlives this
    ~RandomIds() override;
    Uuid next() override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::runtime
