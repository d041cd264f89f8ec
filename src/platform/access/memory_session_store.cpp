#include "platform/access/memory_session_store.hpp"

#include <algorithm>

#include "base/clock.hpp"

namespace trackops::access {

bool MemorySessionStore::has_ended(const Session& session, Instant now) const {
    return now >= session.ends_at || now >= session.last_seen_at + times_.idle_max;
}

Result<void> MemorySessionStore::add(const SessionKey& key, const Session& session) {
    const std::lock_guard lock(mutex_);
    const Instant now = clock_.now();
    std::erase_if(sessions_, [&](const auto& entry) { return has_ended(entry.second, now); });
    sessions_.insert_or_assign(key, session);
    end_oldest(session.operator_name);
    return {};
}

// Requires mutex_.
void MemorySessionStore::end_oldest(const std::string& operator_name) {
    const auto is_its = [&](const auto& entry) {
        return entry.second.operator_name == operator_name;
    };
    while (static_cast<std::size_t>(std::ranges::count_if(sessions_, is_its)) >
           sessions_of_operator_max) {
        auto oldest = std::ranges::find_if(sessions_, is_its);
        for (auto one = oldest; one != sessions_.end(); ++one) {
            if (is_its(*one) && one->second.ends_at < oldest->second.ends_at) oldest = one;
        }
        sessions_.erase(oldest);
    }
}

Result<std::vector<std::optional<Session>>> MemorySessionStore::find(
    std::span<const SessionKey> keys) {
    const std::lock_guard lock(mutex_);
    const Instant now = clock_.now();
    std::vector<std::optional<Session>> found(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto entry = sessions_.find(keys[i]);
        if (entry == sessions_.end() || has_ended(entry->second, now)) continue;
        entry->second.last_seen_at = now;
        found[i] = entry->second;
    }
    return found;
}

Result<std::vector<KeptSession>> MemorySessionStore::of_operators(
    std::span<const std::string> names) {
    const std::lock_guard lock(mutex_);
    const Instant now = clock_.now();
    std::vector<KeptSession> all;
    for (const auto& [key, session] : sessions_) {
        if (!has_ended(session, now) &&
            std::ranges::find(names, session.operator_name) != names.end())
            all.push_back({key, session});
    }
    return all;
}

Result<void> MemorySessionStore::remove(std::string_view operator_name,
                                        std::span<const SessionKey> keys) {
    const std::lock_guard lock(mutex_);
    for (const SessionKey& key : keys) {
        const auto entry = sessions_.find(key);
        if (entry != sessions_.end() && entry->second.operator_name == operator_name)
            sessions_.erase(entry);
    }
    return {};
}

Result<Attempts> MemorySessionStore::count_attempt(std::string_view subject, Duration window) {
    const std::lock_guard lock(mutex_);
    const Instant now = clock_.now();
    auto entry = attempts_.find(subject);
    if (entry == attempts_.end()) {
        if (attempts_.size() >= subjects_max)
            std::erase_if(attempts_, [&](const auto& one) { return now >= one.second.ends_at; });
        if (attempts_.size() >= subjects_max)
            return fail(Errc::overloaded, "too many attempts to log in are being counted");
        entry = attempts_.emplace(std::string(subject), Window{.ends_at = now + window}).first;
    }
    if (now >= entry->second.ends_at) entry->second = {.ends_at = now + window};
    ++entry->second.count;
    return Attempts{entry->second.count, entry->second.ends_at - now};
}

Result<void> MemorySessionStore::forget_attempts(std::string_view subject) {
    const std::lock_guard lock(mutex_);
    if (const auto entry = attempts_.find(subject); entry != attempts_.end())
        attempts_.erase(entry);
    return {};
}

}  // namespace trackops::access
