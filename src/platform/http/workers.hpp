// A few threads for work that may block, behind a bounded queue.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace trackops::http {

class Workers {
public:
    using Job = std::move_only_function<void()>;  // must not throw
    Workers(std::size_t threads, std::size_t queue_max);
    ~Workers() { stop(); }
    bool submit(Job job);  // false: the queue is full, or the workers are stopped
    void stop();           // drops queued jobs and waits for running ones

private:
    void work();
    const std::size_t queue_max_;
    std::mutex mutex_;
    std::condition_variable has_job_;
    std::deque<Job> jobs_;
    bool is_stopped_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace trackops::http
