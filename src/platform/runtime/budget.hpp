// The memory that a process may spend on what others send and do not fetch: one number of bytes,
// shared by request bodies, streams, unsent answers, queues of commands, consumed messages and the
// relay.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace trackops::telemetry {
class Counter;
class Gauge;
class Registry;
}  // namespace trackops::telemetry

namespace trackops::runtime {

enum class Spending : std::uint8_t {
    bodies,
    streams,
    answers,
    commands,
    messages,
    relay,
    handshakes,  // and the TLS sessions behind them
};
inline constexpr std::size_t spending_count = static_cast<std::size_t>(Spending::handshakes) + 1;

// Thread-safe; a call costs two atomic additions and takes no lock. Metrics:
// - trackops_budget_bytes {use}: the bytes in use, set by sample()
// - trackops_budget_limit_bytes
// - trackops_budget_refused_total {use}: calls of take() and has_room() that found too little left
// Nobody may scrape `metrics` after the end of the budget.
class Budget {
public:
    static constexpr std::size_t default_bytes = 256 * 1024 * 1024;

    Budget(std::size_t bytes_max, telemetry::Registry& metrics);
    Budget(const Budget&) = delete;
    Budget& operator=(const Budget&) = delete;

    // Returns false, and takes nothing, if less than `bytes` is left.
    [[nodiscard]] bool take(Spending spending, std::size_t bytes);
    // Returns whether at least `bytes` are left now, and this use would then have half of the
    // budget at most. Takes nothing.
    [[nodiscard]] bool has_room(Spending spending, std::size_t bytes);
    // Takes the bytes of what is in memory already, whatever is left.
    void take_anyway(Spending spending, std::size_t bytes);
    void put_back(Spending spending, std::size_t bytes);
    bool is_spent() const { return used() >= bytes_max_; }
    std::size_t used() const { return used_.load(std::memory_order_relaxed); }
    std::size_t bytes_max() const { return bytes_max_; }

private:
    void sample();

    const std::size_t bytes_max_;
    std::atomic<std::size_t> used_ = 0;
    std::array<std::atomic<std::size_t>, spending_count> by_use_{};
    std::array<telemetry::Gauge*, spending_count> gauges_{};
    std::array<telemetry::Counter*, spending_count> refused_{};
};

// Bytes of a budget that are put back at the end. Without a budget it counts nothing. A copy has no
// bytes: what is counted is counted once.
class Share {
public:
    Share() = default;
    Share(Budget* budget, Spending spending) : budget_(budget), spending_(spending) {}
    Share(const Share& other) : budget_(other.budget_), spending_(other.spending_) {}
    Share& operator=(const Share& other) { return *this = Share(other); }
    Share(Share&& other) noexcept
        : budget_(other.budget_),
          spending_(other.spending_),
          bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&& other) noexcept {
        std::swap(budget_, other.budget_);
        std::swap(spending_, other.spending_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Share() { reset(); }

    // Makes the share `bytes` large. Returns false, and changes nothing, if too little is left for
    // a larger one.
    [[nodiscard]] bool resize(std::size_t bytes);
    void resize_anyway(std::size_t bytes);  // the same, whatever is left
    void reset() { resize_anyway(0); }
    std::size_t bytes() const { return bytes_; }
    Budget* budget() const { return budget_; }

private:
    Budget* budget_ = nullptr;
    Spending spending_ = Spending::bodies;
    std::size_t bytes_ = 0;
};

}  // namespace trackops::runtime
