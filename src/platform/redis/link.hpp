// The way to one Redis: a thread that sends what callers ask for, one after the other, over one
// connection, and hears over another which entries others have changed. When Redis fails, nobody
// waits for it until it has answered the thread again.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "platform/cache/cache.hpp"
#include "platform/cache/circuit_breaker.hpp"
#include "platform/cache/memory_cache.hpp"
#include "platform/redis/connection.hpp"

namespace trackops::telemetry {
class Counter;
class Gauge;
}  // namespace trackops::telemetry

namespace trackops::cache {

// Thread-safe. Commands reach Redis in the order in which they were given. Keeps in memory what it
// fetches; takes out what is put or heard of, and everything when changes are not heard any more.
class RedisLink {
public:
    // What waits to be sent: one more is dropped, and counted. While Redis is away the oldest is.
    static constexpr std::size_t queue_max = 4096;
    static constexpr std::size_t queue_bytes_max = 8 * 1024 * 1024;

    // Connects in its own time. clock, metrics and memory outlive it.
    RedisLink(RedisTarget target, const Options& options, const Clock& clock,
              telemetry::Registry& metrics, MemoryCache& memory);
    ~RedisLink();
    RedisLink(const RedisLink&) = delete;
    RedisLink& operator=(const RedisLink&) = delete;

    std::vector<std::optional<Entry>> get(std::span<const std::string> keys);
    // Never waits. Kept until Redis is there, then sent with what is left of its life.
    void put(std::string_view key, Entry entry, Duration time_to_live);
    void remove(std::string_view key);
    // Waits for an attempt to connect that is under way.
    bool ping();

private:
    enum class State : std::uint8_t { connecting, up, away };
    enum class Kind : std::uint8_t { get, put, remove, ping };
    using Deadline = std::chrono::steady_clock::time_point;

    // Somebody who waits; lives on the stack of that thread. Guarded by mutex_.
    struct Waiter {
        std::vector<std::optional<Entry>> found;
        std::size_t left = 0;
        bool is_lost = false;
    };
    struct Command {
        Kind kind;
        std::string key;
        Entry entry = {};           // put
        Instant expires = {};       // put
        Waiter* waiting = nullptr;  // get, ping
        std::size_t index = 0;      // of the answer among those that are waited for
        std::uint32_t change = 0;   // get: change_of(key) when it was asked
        Deadline deadline = {};     // once it is sent
        std::size_t size() const { return key.size() + entry.value.size(); }
    };

    void write(Command command);
    void forget(std::string_view key);
    std::uint32_t& change_of(std::string_view key) {
        return change_counts_[std::hash<std::string_view>()(key) % change_counts_.size()];
    }
    bool has_room_for(const Command& write);
    void push(Command command);
    Command pop_front();
    void wait_for(std::unique_lock<std::mutex>& lock, const Waiter& waiting);
    void wake() const;

    // The rest runs on the thread.
    void work();
    void set(State state);
    void connect();
    Reply ask(RedisConnection& connection, std::initializer_list<std::string_view> words,
              Deadline deadline) const;
    void log_in(RedisConnection& connection, Deadline deadline) const;
    void run_once();
    void send_queued();
    void send(const Command& command);
    void send_put(const Command& command, bool with_script);
    void handle_invalidation(const redisReply& message);
    void take(const redisReply& reply);
    void take_found(const Command& get, const redisReply& reply);
    void take_put(Command put, const redisReply& reply);
    void answer(Waiter& waiting);
    void disconnect(const char* why);
    bool wait_readable(int fd, Duration at_most) const;

    const RedisTarget target_;
    const Options options_;
    const Clock& clock_;
    MemoryCache& memory_;
    telemetry::Gauge& breaker_open_;
    telemetry::Counter& connection_errors_;
    telemetry::Counter& answer_errors_;
    telemetry::Counter& dropped_;

    std::mutex mutex_;
    std::condition_variable changed_;  // somebody was answered, or the state changed
    std::deque<Command> queue_;
    std::size_t queue_bytes_ = 0;
    std::array<std::uint32_t, 1024> change_counts_{};  // to keys, by their hash
    State state_ = State::connecting;
    std::atomic<bool> is_stopped_ = false;
    const int wake_fd_;

    // Of the thread alone.
    CircuitBreaker breaker_;
    bool is_failing_ = false;  // and the log knows it
    std::unique_ptr<RedisConnection> commands_;
    std::unique_ptr<RedisConnection> invalidations_;
    std::string script_sha_;
    std::deque<Command> in_flight_;  // in the order in which the answers come
    std::thread thread_;
};

}  // namespace trackops::cache
