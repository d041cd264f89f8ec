// The link to one Redis server. One thread sends the callers' commands over one connection and
// receives invalidations of changed entries over another. After a failure no caller waits for Redis
// until it has answered the thread again.
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

// Thread-safe. Commands are sent in the order in which they were given; only a put whose script
// Redis no longer knows is sent again behind later ones. Fetched entries are kept in memory. An
// entry leaves the memory when it is written or invalidated, and all entries leave it when
// invalidations can no longer be received.
class RedisLink {
public:
    // The maximum size of the queue. A further command is dropped and counted; while Redis is
    // unavailable the oldest commands are dropped instead.
    static constexpr std::size_t queue_max = 4096;
    static constexpr std::size_t queue_bytes_max = 8 * 1024 * 1024;

    // Connects in the background. `clock`, `metrics` and `memory` outlive it.
    RedisLink(RedisTarget target, const Options& options, const Clock& clock,
              telemetry::Registry& metrics, MemoryCache& memory);
    ~RedisLink();
    RedisLink(const RedisLink&) = delete;
    RedisLink& operator=(const RedisLink&) = delete;

    // Returns one result for each key, in order; all empty if Redis is unavailable. Waits until
    // Redis has answered or the link has dropped the connection.
    std::vector<std::optional<Entry>> get(std::span<const std::string> keys);
    // Never waits. The write is kept until Redis is available, and then sent with the rest of its
    // time to live.
    void put(std::string_view key, Entry entry, Duration time_to_live);
    void remove(std::string_view key);  // never waits, like put
    // Waits while an attempt to connect is in progress.
    bool ping();

private:
    enum class State : std::uint8_t { connecting, up, away };
    enum class Kind : std::uint8_t { get, put, remove, ping };
    using Deadline = std::chrono::steady_clock::time_point;

    // A waiting caller. It lives on the stack of the caller's thread and is guarded by mutex_.
    struct Waiter {
        std::vector<std::optional<Entry>> found;
        std::size_t left = 0;
        bool is_lost = false;
    };
    struct Command {
        Kind kind;
        std::string key;
        Entry entry = {};           // put only
        Instant expires = {};       // put only
        Waiter* waiting = nullptr;  // get and ping only
        std::size_t index = 0;      // of the key in the caller's list
        std::uint32_t change = 0;   // get only: change_of(key) when the command was queued
        Deadline deadline = {};     // set when it is sent
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

    // The functions below run on the thread.
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
    std::condition_variable changed_;  // a waiter was answered, or the state changed
    std::deque<Command> queue_;
    std::size_t queue_bytes_ = 0;
    std::array<std::uint32_t, 1024> change_counts_{};  // changes of keys, by the key's hash
    State state_ = State::connecting;
    std::atomic<bool> is_stopped_ = false;
    const int wake_fd_;

    // Used by the thread only.
    CircuitBreaker breaker_;
    bool is_failing_ = false;  // and the failure is logged
    std::unique_ptr<RedisConnection> commands_;
    std::unique_ptr<RedisConnection> invalidations_;
    std::string script_sha_;
    std::deque<Command> in_flight_;  // in the order of the expected replies
    std::thread thread_;
};

}  // namespace trackops::cache
