// A few threads for work that may block, behind a bounded queue. The clients take turns, so that
// nobody waits for all the requests of another.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/http/connection_slots.hpp"

namespace trackops::http {

class Workers {
public:
    using Job = std::move_only_function<void()>;  // must not throw
    enum class Verdict : std::uint8_t { queued, full, full_for_client };

    // The queue holds `queue_max` jobs, and of one client half of that (at least one). The half
    // does not hold for loopback, as in ConnectionSlots.
    Workers(std::size_t threads, std::size_t queue_max);
    ~Workers() { stop(); }
    // A job that is not queued is dropped. After stop() the queue is full.
    Verdict submit(Job job, const ClientAddress& client);
    // Queues a further part of work that was admitted before. Its number is bounded elsewhere. It
    // is dropped after stop().
    void resume(Job job, const ClientAddress& client);
    void stop();  // drops queued jobs and waits for running ones. Idempotent

private:
    using Jobs = std::map<ClientAddress, std::deque<Job>>;

    void push(Job job, const ClientAddress& network);  // with the lock held
    Job pop();                                         // the same; requires a job
    void work();
    const std::size_t queue_max_;
    std::mutex mutex_;
    std::condition_variable has_job_;
    Jobs jobs_;  // of the clients that wait, by network_of()
    std::deque<ClientAddress> turns_;
    std::size_t queued_ = 0;
    bool is_stopped_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace trackops::http
