#include "platform/http/workers.hpp"

#include <utility>

namespace trackops::http {

Workers::Workers(std::size_t threads, std::size_t queue_max) : queue_max_(queue_max) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

bool Workers::submit(Job job) {
    {
        const std::lock_guard lock(mutex_);
        if (is_stopped_ || jobs_.size() >= queue_max_) return false;
        jobs_.push_back(std::move(job));
    }
    has_job_.notify_one();
    return true;
}

void Workers::stop() {
    std::deque<Job> dropped;  // destroyed outside of the lock, because their replies then answer
    {
        const std::lock_guard lock(mutex_);
        is_stopped_ = true;
        dropped.swap(jobs_);
    }
    has_job_.notify_all();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

void Workers::work() {
    for (;;) {
        std::unique_lock lock(mutex_);
        has_job_.wait(lock, [this] { return is_stopped_ || !jobs_.empty(); });
        if (is_stopped_) return;
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job();
    }
}

}  // namespace trackops::http
