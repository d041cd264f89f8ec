// The system's clock and an id generator that uses the kernel's random numbers.
#pragma once
#include <memory>

#include "base/clock.hpp"
#include "base/ids.hpp"

namespace trackops::runtime {

class SystemClock final : public Clock {
public:
    Instant now() const override;
};

// Generates UUIDv7 from the clock and the kernel's random numbers. The ids of one object ascend,
// also within a millisecond and when the clock steps back (the time in the ids then stands still).
// Each id has at least 32 bits that the previous one does not predict.
class RandomIds final : public Ids {
public:
    explicit RandomIds(const Clock& clock);  // `clock` outlives this
    ~RandomIds() override;
    Uuid next() override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::runtime
