// The queue before an exporter: it is bounded in items and bytes and never makes its writer
// wait.
#pragma once
#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "base/instant.hpp"

namespace trackops::telemetry {

struct ExportQueueLimits {
    std::size_t items_max = 2048;
    std::size_t bytes_max = 4 * 1024 * 1024;
    std::size_t batch_max = 512;  // wait() returns when this many wait
};

// `Item` has a function bytes_of(const Item&) in its namespace. Thread-safe.
template <class Item>
class ExportQueue {
public:
    explicit ExportQueue(const ExportQueueLimits& limits) : limits_(limits) {}

    // Returns false, and drops the item, if the queue is full. Takes no time but that of a lock.
    bool put(Item item) {
        const std::size_t bytes = bytes_of(item);
        const std::scoped_lock lock(mutex_);
        if (items_.size() >= limits_.items_max || bytes_ + bytes > limits_.bytes_max) return false;
        bytes_ += bytes;
        items_.push_back(std::move(item));
        if (items_.size() == limits_.batch_max) enough_.notify_all();
        return true;
    }
    // Returns when a whole batch waits, or after `at_most`, or when wake() is called.
    void wait(Duration at_most) {
        std::unique_lock lock(mutex_);
        enough_.wait_for(lock, at_most,
                         [this] { return items_.size() >= limits_.batch_max || is_woken_; });
        is_woken_ = false;
    }
    void wake() {
        const std::scoped_lock lock(mutex_);
        is_woken_ = true;
        enough_.notify_all();
    }
    bool has_batch() const { return size() >= limits_.batch_max; }
    // Returns the oldest items, at most one batch.
    std::vector<Item> take() {
        const std::scoped_lock lock(mutex_);
        const auto count = std::min(items_.size(), limits_.batch_max);
        std::vector<Item> batch;
        batch.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            bytes_ -= bytes_of(items_.front());
            batch.push_back(std::move(items_.front()));
            items_.pop_front();
        }
        return batch;
    }
    std::size_t size() const {
        const std::scoped_lock lock(mutex_);
        return items_.size();
    }

private:
    const ExportQueueLimits limits_;
    mutable std::mutex mutex_;
    std::condition_variable enough_;
    std::deque<Item> items_;
    std::size_t bytes_ = 0;
    bool is_woken_ = false;
};

}  // namespace trackops::telemetry
