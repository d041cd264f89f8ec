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

// UUIDv7s from the clock and the kernel's random numbers; ids made by one process within a
// millisecond are ascending.
class RandomIds final : public Ids {
public:
    explicit RandomIds(const Clock& clock);
    ~RandomIds() override;
    Uuid next() override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::runtime
