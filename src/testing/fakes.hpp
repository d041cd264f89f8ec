// Fakes of the clock, the ids and the chance that a test controls.
#pragma once
#include <atomic>

#include "base/chance.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"

namespace trackops::testing {

// A clock that stands still until the test moves it. Thread-safe.
class FakeClock final : public Clock {
public:
    explicit FakeClock(Instant start = {1'700'000'000'000'000}) : micros_(start.micros) {}
    Instant now() const override { return {micros_.load()}; }
    void advance(Duration by) { micros_ += by.count(); }
    void set(Instant to) { micros_ = to.micros; }

private:
    std::atomic<std::int64_t> micros_;
};

// Ids that are the same in every run: version 7, ascending, all with the same time. Thread-safe.
class SeededIds final : public Ids {
public:
    explicit SeededIds(std::uint64_t seed = 1) : seed_(seed) {}
    Uuid next() override {
        const std::uint64_t count = ++count_;
        return uuid_v7({1'700'000'000'000'000}, count >> 52, (seed_ << 52) ^ count);
    }

private:
    const std::uint64_t seed_;
    std::atomic<std::uint64_t> count_ = 0;
};

// Chance that draws the same number until the test sets another one. With 0 a backoff has no
// jitter. Thread-safe.
class FixedChance final : public Chance {
public:
    explicit FixedChance(double drawn = 0) : drawn_(drawn) {}
    double draw() override { return drawn_; }
    void set(double drawn) { drawn_ = drawn; }

private:
    std::atomic<double> drawn_;
};

}  // namespace trackops::testing
