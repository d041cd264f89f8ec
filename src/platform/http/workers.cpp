#include "platform/http/workers.hpp"

#include <algorithm>
#include <utility>

namespace trackops::http {

Workers::Workers(std::size_t threads, std::size_t queue_max) : queue_max_(queue_max) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Workers::Verdict Workers::submit(Job job, const ClientAddress& client) {
    const ClientAddress network = network_of(client);
    {
        const std::lock_guard lock(mutex_);
        if (is_stopped_ || queued_ >= queue_max_) return Verdict::full;
        const auto found = jobs_.find(network);
        const std::size_t has = found == jobs_.end() ? 0 : found->second.size();
        if (!is_loopback(client) && has >= std::max<std::size_t>(queue_max_ / 2, 1))
            return Verdict::full_for_client;
        push(std::move(job), network);
    }
    has_job_.notify_one();
    return Verdict::queued;
}

void Workers::resume(Job job, const ClientAddress& client) {
    {
        const std::lock_guard lock(mutex_);
        if (is_stopped_) return;
        push(std::move(job), network_of(client));
    }
    has_job_.notify_one();
}

void Workers::push(Job job, const ClientAddress& network) {
    auto& jobs = jobs_[network];
    if (jobs.empty()) turns_.push_back(network);
    jobs.push_back(std::move(job));
    ++queued_;
}

Workers::Job Workers::pop() {
    const ClientAddress network = turns_.front();
    turns_.pop_front();
    const auto found = jobs_.find(network);
    Job job = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty()) {
        jobs_.erase(found);
    } else {
        turns_.push_back(network);
    }
    --queued_;
    return job;
}

void Workers::stop() {
    Jobs dropped;  // destroyed outside of the lock, because their replies then answer
    {
        const std::lock_guard lock(mutex_);
        is_stopped_ = true;
        dropped.swap(jobs_);
        turns_.clear();
        queued_ = 0;
    }
    has_job_.notify_all();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

void Workers::work() {
    for (;;) {
        std::unique_lock lock(mutex_);
        has_job_.wait(lock, [this] { return is_stopped_ || queued_ > 0; });
        if (is_stopped_) return;
        Job job = pop();
        lock.unlock();
        job();
    }
}

}  // namespace trackops::http
