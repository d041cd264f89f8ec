#include "platform/access/sessions.hpp"

#include <algorithm>
#include <utility>

#include "base/clock.hpp"

namespace trackops::access {
namespace {

constexpr std::size_t batch_max = 128;

Sessions::Found unanswered() {
    return fail(Errc::unavailable, "the sessions cannot be asked for now");
}

}  // namespace

Sessions::Sessions(SessionStore& store, SessionTimes times, const Clock& clock)
    : store_(store),
      times_(times),
      clock_(clock),
      lookups_(
          {.batch_max = batch_max, .queue_max = lookups_max},
          [this](std::span<const SessionKey> keys) { return process(keys); }, unanswered) {}

std::optional<Session> Sessions::remembered(const SessionKey& key) {
    const Instant now = clock_.now();
    const std::lock_guard lock(mutex_);
    const auto found = memory_.find(key);
    if (found == memory_.end()) return std::nullopt;
    const Remembered& one = found->second;
    if (now < one.until && now < one.session.ends_at) return one.session;
    memory_.erase(found);
    return std::nullopt;
}

void Sessions::look_up(const SessionKey& key, std::move_only_function<void(Found)> done) {
    // submit() keeps `done` only if it takes the lookup.
    const auto shared = std::make_shared<std::move_only_function<void(Found)>>(std::move(done));
    if (!lookups_.submit(key, [shared](Found found) { (*shared)(std::move(found)); }))
        (*shared)(fail(Errc::overloaded, "too many sessions are being asked for"));
}

std::vector<Sessions::Found> Sessions::process(std::span<const SessionKey> keys) {
    std::uint64_t endings = 0;
    {
        const std::lock_guard lock(mutex_);
        endings = endings_;
    }
    auto found = store_.find(keys);
    std::vector<Found> outcomes;
    outcomes.reserve(keys.size());
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (!found) {
            outcomes.emplace_back(std::unexpected(found.error()));
            continue;
        }
        // A session that was found before an end may have ended by it.
        if ((*found)[i] && endings == endings_) remember(keys[i], *(*found)[i]);
        outcomes.emplace_back(std::move((*found)[i]));
    }
    return outcomes;
}

// Requires mutex_.
void Sessions::remember(const SessionKey& key, const Session& session) {
    const Instant now = clock_.now();
    if (memory_.size() >= remembered_max)
        std::erase_if(memory_, [&](const auto& entry) { return now >= entry.second.until; });
    if (memory_.size() < remembered_max)
        memory_.insert_or_assign(key, Remembered{session, now + memory_time});
}

Result<Secret> Sessions::begin(const Operator& one, std::string from) {
    const Instant now = clock_.now();
    Secret id = make_session_id();
    TRY(store_.add(key_of_session(id.reveal()), {.operator_name = one.name,
                                                 .mark = mark_of(one),
                                                 .created_at = now,
                                                 .last_seen_at = now,
                                                 .ends_at = now + times_.age_max,
                                                 .from = std::move(from)}));
    return id;
}

Result<std::vector<KeptSession>> Sessions::of_operators(std::span<const std::string> names) {
    auto all = TRY(store_.of_operators(names));
    std::ranges::sort(all, [](const KeptSession& a, const KeptSession& b) {
        return std::pair(b.session.created_at, b.key) < std::pair(a.session.created_at, a.key);
    });
    return all;
}

Result<void> Sessions::end(std::string_view operator_name, std::span<const SessionKey> keys) {
    TRY(store_.remove(operator_name, keys));
    const std::lock_guard lock(mutex_);
    ++endings_;
    for (const SessionKey& key : keys) memory_.erase(key);
    return {};
}

}  // namespace trackops::access
