#include "platform/runtime/budget.hpp"

#include <string>
#include <string_view>

#include "platform/telemetry/metrics.hpp"

namespace trackops::runtime {
namespace {

constexpr std::array<std::string_view, spending_count> names = {
    "bodies", "streams", "answers", "commands", "messages", "relay", "handshakes"};

}  // namespace

Budget::Budget(std::size_t bytes_max, telemetry::Registry& metrics) : bytes_max_(bytes_max) {
    for (std::size_t i = 0; i < spending_count; ++i) {
        const telemetry::Labels labels = {{"use", std::string(names[i])}};
        gauges_[i] = &metrics.gauge("trackops_budget_bytes",
                                    "Bytes in use of what others have sent", labels);
        refused_[i] = &metrics.counter("trackops_budget_refused_total",
                                       "Times the budget of bytes was spent", labels);
    }
    metrics.gauge("trackops_budget_limit_bytes", "The budget of bytes of this process")
        .set(static_cast<double>(bytes_max));
    metrics.on_scrape([this] { sample(); });
}

void Budget::sample() {
    for (std::size_t i = 0; i < spending_count; ++i)
        gauges_[i]->set(static_cast<double>(by_use_[i].load(std::memory_order_relaxed)));
}

bool Budget::take(Spending spending, std::size_t bytes) {
    // A larger sum could run over.
    const bool is_possible = bytes <= bytes_max_;
    const std::size_t before = is_possible ? used_.fetch_add(bytes, std::memory_order_relaxed) : 0;
    if (!is_possible || before > bytes_max_ - bytes) {
        if (is_possible) used_.fetch_sub(bytes, std::memory_order_relaxed);
        refused_[static_cast<std::size_t>(spending)]->add();
        return false;
    }
    by_use_[static_cast<std::size_t>(spending)].fetch_add(bytes, std::memory_order_relaxed);
    return true;
}

bool Budget::has_room(Spending spending, std::size_t bytes) {
    const auto use = static_cast<std::size_t>(spending);
    const auto fits = [bytes](std::size_t before, std::size_t most) {
        return before <= most && bytes <= most - before;
    };
    const std::size_t by_this_use = by_use_[use].load(std::memory_order_relaxed);
    if (fits(used(), bytes_max_) && fits(by_this_use, bytes_max_ / 2)) return true;
    refused_[use]->add();
    return false;
}

void Budget::take_anyway(Spending spending, std::size_t bytes) {
    used_.fetch_add(bytes, std::memory_order_relaxed);
    by_use_[static_cast<std::size_t>(spending)].fetch_add(bytes, std::memory_order_relaxed);
}

void Budget::put_back(Spending spending, std::size_t bytes) {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    by_use_[static_cast<std::size_t>(spending)].fetch_sub(bytes, std::memory_order_relaxed);
}

bool Share::resize(std::size_t bytes) {
    if (!budget_) return true;
    if (bytes > bytes_ && !budget_->take(spending_, bytes - bytes_)) return false;
    if (bytes < bytes_) budget_->put_back(spending_, bytes_ - bytes);
    bytes_ = bytes;
    return true;
}

void Share::resize_anyway(std::size_t bytes) {
    if (!budget_ || bytes == bytes_) return;
    if (bytes > bytes_) budget_->take_anyway(spending_, bytes - bytes_);
    if (bytes < bytes_) budget_->put_back(spending_, bytes_ - bytes);
    bytes_ = bytes;
}

}  // namespace trackops::runtime
