#include "platform/redis/session_store.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include "base/clock.hpp"
#include "base/hex.hpp"
#include "platform/redis/calls.hpp"

namespace trackops::cache {
namespace {

using access::Attempts;
using access::KeptSession;
using access::Session;
using access::SessionKey;
using std::chrono::milliseconds;

constexpr std::string_view session_prefix = "trackops:session:";
constexpr std::string_view operator_prefix = "trackops:sessions:";
constexpr std::string_view attempts_prefix = "trackops:ratelimit:";

std::string key_of(std::string_view hash) { return fmt::format("{}{}", session_prefix, hash); }
std::string key_of(const SessionKey& key) { return key_of(hex(key)); }
std::string list_of(std::string_view name) { return fmt::format("{}{}", operator_prefix, name); }
std::string millis(Instant at) { return fmt::to_string(at.micros / 1000); }
std::string millis(Duration time) {
    return fmt::to_string(std::chrono::ceil<milliseconds>(time).count());
}

std::optional<Session> session_of(const redisReply& reply) {
    if (reply.type != REDIS_REPLY_STRING) return std::nullopt;
    return access::parse_session({reply.str, reply.len});
}

// Returns the texts of an array; none of any other reply.
std::vector<std::string> texts_of(const redisReply& reply) {
    std::vector<std::string> texts;
    if (reply.type != REDIS_REPLY_ARRAY) return texts;
    for (std::size_t i = 0; i < reply.elements; ++i) {
        const redisReply& one = *reply.element[i];
        if (one.type == REDIS_REPLY_STRING) texts.emplace_back(one.str, one.len);
    }
    return texts;
}

class RedisSessionStore final : public access::SessionStore {
public:
    RedisSessionStore(RedisTarget target, access::SessionTimes times, const Clock& clock,
                      Duration timeout, telemetry::Registry& metrics)
        : times_(times), clock_(clock), calls_(std::move(target), timeout, clock, metrics) {}

    Result<void> add(const SessionKey& key, const Session& session) override;
    Result<std::vector<std::optional<Session>>> find(std::span<const SessionKey> keys) override;
    Result<std::vector<KeptSession>> of_operators(std::span<const std::string> names) override;
    Result<void> remove(std::string_view operator_name, std::span<const SessionKey> keys) override;
    Result<Attempts> count_attempt(std::string_view subject, Duration window) override;
    Result<void> forget_attempts(std::string_view subject) override;

private:
    // Asks, and takes an error of Redis for no answer.
    Result<std::vector<Reply>> ask(const std::vector<Words>& commands);
    Duration time_left(const Session& session, Instant now) const {
        return std::min(times_.idle_max, session.ends_at - now);
    }

    const access::SessionTimes times_;
    const Clock& clock_;
    RedisCalls calls_;
};

Result<std::vector<Reply>> RedisSessionStore::ask(const std::vector<Words>& commands) {
    auto replies = TRY(calls_.ask(commands));
    for (const Reply& reply : replies) {
        if (reply->type == REDIS_REPLY_ERROR)
            return fail(Errc::unavailable, fmt::format("Redis refuses: {}", reply->str));
    }
    return replies;
}

Result<void> RedisSessionStore::add(const SessionKey& key, const Session& session) {
    const Instant now = clock_.now();
    const std::string list = list_of(session.operator_name);
    const std::string last =
        fmt::to_string(-static_cast<std::int64_t>(access::sessions_of_operator_max) - 1);
    const auto replies = TRY(
        ask({{"SET", key_of(key), access::text_of(session), "PX", millis(time_left(session, now))},
             {"ZREMRANGEBYSCORE", list, "-inf", millis(now)},
             {"ZADD", list, millis(session.ends_at), hex(key)},
             {"PEXPIRE", list, millis(times_.age_max)},
             {"ZRANGE", list, "0", last}}));
    std::vector<SessionKey> oldest;
    for (const std::string& hash : texts_of(*replies.back())) {
        if (const auto one = access::parse_digest(hash)) oldest.push_back(*one);
    }
    return remove(session.operator_name, oldest);
}

Result<std::vector<std::optional<Session>>> RedisSessionStore::find(
    std::span<const SessionKey> keys) {
    std::vector<Words> reads;
    for (const SessionKey& key : keys) reads.push_back({"GET", key_of(key)});
    const auto replies = TRY(ask(reads));
    const Instant now = clock_.now();
    std::vector<std::optional<Session>> found(keys.size());
    std::vector<Words> renewals;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        auto session = session_of(*replies[i]);
        if (!session || now >= session->ends_at) continue;
        session->last_seen_at = now;
        // It renews what is still there, so a session that was ended meanwhile stays ended.
        renewals.push_back({"PEXPIRE", key_of(keys[i]), millis(time_left(*session, now))});
        found[i] = std::move(session);
    }
    if (!renewals.empty()) TRY(ask(renewals));
    return found;
}

Result<std::vector<KeptSession>> RedisSessionStore::of_operators(
    std::span<const std::string> names) {
    std::vector<KeptSession> all;
    if (names.empty()) return all;
    std::vector<Words> lists;
    for (const std::string& name : names) lists.push_back({"ZRANGE", list_of(name), "0", "-1"});
    const auto listed = TRY(ask(lists));
    std::vector<Words> reads;
    std::vector<SessionKey> keys;
    for (const Reply& hashes : listed) {
        for (const std::string& hash : texts_of(*hashes)) {
            const auto key = access::parse_digest(hash);
            if (!key) continue;
            keys.push_back(*key);
            reads.push_back({"GET", key_of(hash)});
            reads.push_back({"PTTL", key_of(hash)});
        }
    }
    if (keys.empty()) return all;
    const auto replies = TRY(ask(reads));
    const Instant now = clock_.now();
    for (std::size_t i = 0; i < keys.size(); ++i) {
        auto session = session_of(*replies[2 * i]);
        if (!session || now >= session->ends_at) continue;
        // The time to live was set at the last request; at the end of a session it is shorter than
        // the time to idle, and the last request then looks a little older than it is.
        const Duration left = milliseconds(replies[2 * i + 1]->integer);
        session->last_seen_at = std::max(session->created_at, now - (times_.idle_max - left));
        all.push_back({keys[i], *std::move(session)});
    }
    return all;
}

Result<void> RedisSessionStore::remove(std::string_view operator_name,
                                       std::span<const SessionKey> keys) {
    if (keys.empty()) return {};
    Words sessions{"DEL"};
    Words members{"ZREM", list_of(operator_name)};
    for (const SessionKey& key : keys) {
        sessions.push_back(key_of(key));
        members.push_back(hex(key));
    }
    TRY(ask({sessions, members}));
    return {};
}

Result<Attempts> RedisSessionStore::count_attempt(std::string_view subject, Duration window) {
    const std::string key = fmt::format("{}{}", attempts_prefix, subject);
    const auto replies =
        TRY(ask({{"SET", key, "0", "PX", millis(window), "NX"}, {"INCR", key}, {"PTTL", key}}));
    return Attempts{replies[1]->integer, milliseconds(std::max<long long>(replies[2]->integer, 0))};
}

Result<void> RedisSessionStore::forget_attempts(std::string_view subject) {
    TRY(ask({{"DEL", fmt::format("{}{}", attempts_prefix, subject)}}));
    return {};
}

}  // namespace

std::unique_ptr<access::SessionStore> make_redis_session_store(RedisTarget target,
                                                               access::SessionTimes times,
                                                               Duration timeout, const Clock& clock,
                                                               telemetry::Registry& metrics) {
    return std::make_unique<RedisSessionStore>(std::move(target), times, clock, timeout, metrics);
}

}  // namespace trackops::cache
