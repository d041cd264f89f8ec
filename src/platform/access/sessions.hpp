// The sessions of operators as a service sees them: the store, and in front of it a short memory of
// the sessions that it has just confirmed.
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>

#include "platform/access/session_store.hpp"
#include "platform/runtime/combiner.hpp"

namespace trackops {
class Clock;
}

namespace trackops::access {

// Thread-safe. As a pump it asks the store for the sessions that are not in memory. A session that
// another process has ended may be accepted for memory_time more; one that this process has ended
// is not.
class Sessions final : public runtime::Pump {
public:
    static constexpr Duration memory_time = std::chrono::seconds(1);
    static constexpr std::size_t remembered_max = 4096;  // further sessions are not remembered
    static constexpr std::size_t lookups_max = 1024;     // waiting; a further one is refused

    using Found = Result<std::optional<Session>>;

    // `store` and `clock` outlive this.
    Sessions(SessionStore& store, SessionTimes times, const Clock& clock);

    // Returns a session that was confirmed a moment ago. Does not wait.
    std::optional<Session> remembered(const SessionKey& key);
    // Asks the store. `done` runs once, on the thread of the pump; or before this returns if too
    // many lookups wait.
    void look_up(const SessionKey& key, std::move_only_function<void(Found)> done);
    // Makes a session of the operator. Returns its id. Waits for the store, as do the next three.
    Result<Secret> begin(const Operator& one, std::string from);
    // Returns the sessions of these operators, the newest first.
    Result<std::vector<KeptSession>> of_operators(std::span<const std::string> names);
    Result<void> end(std::string_view operator_name, std::span<const SessionKey> keys);

    const SessionTimes& times() const { return times_; }

    runtime::Progress run(Duration max_wait) override { return lookups_.run(max_wait); }
    void wake() override { lookups_.wake(); }
    // Answers every waiting lookup with Errc::unavailable, and every further one.
    void close() { lookups_.close(); }

private:
    struct Remembered {
        Session session;
        Instant until;
    };
    std::vector<Found> process(std::span<const SessionKey> keys);
    void remember(const SessionKey& key, const Session& session);

    SessionStore& store_;
    const SessionTimes times_;
    const Clock& clock_;
    std::mutex mutex_;
    std::map<SessionKey, Remembered> memory_;  // guarded by mutex_
    std::uint64_t endings_ = 0;                // calls of end(); the same
    runtime::Combiner<SessionKey, Found> lookups_;
};

}  // namespace trackops::access
