// The sessions of one process, in its own memory. They end with it.
#pragma once
#include <map>
#include <mutex>

#include "platform/access/session_store.hpp"

namespace trackops {
class Clock;
}

namespace trackops::access {

class MemorySessionStore final : public SessionStore {
public:
    // Subjects of attempts that are counted at a time. A further one is refused.
    static constexpr std::size_t subjects_max = 10'000;

    MemorySessionStore(SessionTimes times, const Clock& clock) : times_(times), clock_(clock) {}

    Result<void> add(const SessionKey& key, const Session& session) override;
    Result<std::vector<std::optional<Session>>> find(std::span<const SessionKey> keys) override;
    Result<std::vector<KeptSession>> of_operators(std::span<const std::string> names) override;
    Result<void> remove(std::string_view operator_name, std::span<const SessionKey> keys) override;
    // Returns Errc::overloaded if too many subjects are counted.
    Result<Attempts> count_attempt(std::string_view subject, Duration window) override;
    Result<void> forget_attempts(std::string_view subject) override;

private:
    struct Window {
        std::int64_t count = 0;
        Instant ends_at;
    };
    bool has_ended(const Session& session, Instant now) const;
    void end_oldest(const std::string& operator_name);

    const SessionTimes times_;
    const Clock& clock_;
    std::mutex mutex_;
    std::map<SessionKey, Session> sessions_;               // guarded by mutex_
    std::map<std::string, Window, std::less<>> attempts_;  // the same
};

}  // namespace trackops::access
