#include "platform/access/key_set_urls.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "platform/http_client/call.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::access {
namespace {

// A pump that follows nothing looks again after this.
constexpr Duration idle_time = std::chrono::seconds(1);

telemetry::Counter& fetches(telemetry::Registry& metrics, const char* outcome) {
    return metrics.counter("trackops_token_key_fetches_total",
                           "Key sets of identity providers that were fetched from a URL",
                           {{"outcome", outcome}});
}

bool has_same_source(const Provider& a, const Provider& b) {
    return a.key_set_url == b.key_set_url && a.key_set_ca_file == b.key_set_ca_file;
}

}  // namespace

Result<std::string> fetch_key_set(const Provider& provider, Duration within) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    const auto target = TRY(http_client::parse_target(provider.key_set_url, "keySetUrl"));
    http_client::TlsContext context;
    if (target.server.has_tls) context = TRY(http_client::trusting(provider.key_set_ca_file));
    const auto answer = TRY(http_client::call(target.server, context,
                                              {.path = target.path,
                                               .headers = {{"Accept", Secret("application/json")}},
                                               .body_bytes_max = key_set_bytes_max},
                                              deadline));
    if (answer->status() != 200)
        return fail(Errc::unavailable,
                    fmt::format("{} answers {}", provider.key_set_url, answer->status()));
    return std::move(answer->body());
}

KeySetUrls::KeySetUrls(Fetch fetch, std::function<void()> on_change, const Clock& clock,
                       telemetry::Registry& metrics)
    : fetch_(std::move(fetch)),
      on_change_(std::move(on_change)),
      clock_(clock),
      fetched_(fetches(metrics, "fetched")),
      failed_(fetches(metrics, "failed")),
      refused_(fetches(metrics, "refused")),
      oldest_(metrics.gauge("trackops_token_keys_fetched_timestamp_seconds",
                            "Time of the fetch of the oldest key set in force; 0 without one")) {}

void KeySetUrls::follow(std::span<const Provider> providers) {
    const Instant now = clock_.now();
    const std::lock_guard lock(mutex_);
    std::map<std::string, Entry> followed;
    for (const Provider& provider : providers) {
        if (provider.key_set_url.empty()) continue;
        const auto known = entries_.find(provider.name);
        if (known != entries_.end() && has_same_source(known->second.provider, provider)) {
            followed.insert(entries_.extract(known));
            continue;
        }
        followed.emplace(provider.name, Entry{.provider = provider, .due_at = now});
        is_woken_ = true;
    }
    entries_ = std::move(followed);
    if (!waiting_.empty()) is_woken_ = true;  // for a provider that is gone, perhaps
    if (is_woken_) woken_.notify_one();
}

std::shared_ptr<const KeySet> KeySetUrls::keys(const std::string& provider) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(provider);
    return found == entries_.end() ? nullptr : found->second.keys;
}

// Requires mutex_.
bool KeySetUrls::takes_askers(const Entry& entry, Instant now) const {
    return waiting_.size() < waiting_max &&
           (entry.is_fetching || entry.begun_at == never || now >= entry.begun_at + ask_interval);
}

bool KeySetUrls::may_ask(const std::string& provider) const {
    const Instant now = clock_.now();
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(provider);
    return found != entries_.end() && takes_askers(found->second, now);
}

bool KeySetUrls::ask(const std::string& provider, std::function<void()> done) {
    const Instant now = clock_.now();
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(provider);
    if (found == entries_.end() || !takes_askers(found->second, now)) return false;
    waiting_.push_back({provider, std::move(done)});
    Entry& entry = found->second;
    if (entry.is_fetching) return true;
    entry.due_at = std::min(entry.due_at, now);
    is_woken_ = true;
    woken_.notify_one();
    return true;
}

std::vector<KeySetUrls::State> KeySetUrls::states() const {
    const std::lock_guard lock(mutex_);
    std::vector<State> states;
    for (const auto& [name, entry] : entries_)
        states.push_back(
            {name, entry.keys ? entry.keys->size() : 0, entry.fetched_at, entry.fault});
    return states;
}

// Begins the fetch of a provider whose key set is due; nothing if none is.
std::optional<Provider> KeySetUrls::begin_due() {
    const Instant now = clock_.now();
    const std::lock_guard lock(mutex_);
    for (auto& [name, entry] : entries_) {
        if (now < entry.due_at) continue;
        entry.is_fetching = true;
        entry.begun_at = now;
        return entry.provider;
    }
    return std::nullopt;
}

void KeySetUrls::fetch(const Provider& provider) {
    const auto text = fetch_(provider, fetch_time_max);
    auto set = text ? read_key_set(*text) : Result<KeySet>(std::unexpected(text.error()));
    (text ? set ? fetched_ : refused_ : failed_).add();
    {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(provider.name);
        if (found == entries_.end() || !has_same_source(found->second.provider, provider)) return;
        take(found->second, std::move(set));
        show_oldest();
    }
    on_change_();
}

// Requires mutex_.
void KeySetUrls::take(Entry& entry, Result<KeySet> fetched) {
    const Instant now = clock_.now();
    entry.is_fetching = false;
    if (fetched) {
        entry.keys = std::make_shared<const KeySet>(*std::move(fetched));
        entry.fetched_at = now;
        entry.due_at = now + refresh_interval;
        entry.failures = 0;
        entry.fault.clear();
        return;
    }
    entry.due_at = now + doubled_wait(retry_backoff, ++entry.failures);
    if (entry.fault == fetched.error().detail) return;
    entry.fault = fetched.error().detail;
    telemetry::log(telemetry::Level::error, "access",
                   "a key set cannot be fetched; the keys stay as they were",
                   {{"provider", entry.provider.name},
                    {"url", entry.provider.key_set_url},
                    {"fault", entry.fault}});
}

// Requires mutex_.
void KeySetUrls::show_oldest() const {
    Instant oldest = never;
    for (const auto& [name, entry] : entries_) {
        if (entry.fetched_at != never && (oldest == never || entry.fetched_at < oldest))
            oldest = entry.fetched_at;
    }
    oldest_.set(oldest == never ? 0 : static_cast<double>(oldest.micros) / 1e6);
}

// Tells those who wait for a fetch that is over or does not come; all of them if asked to.
void KeySetUrls::tell_waiting(bool all) {
    const Instant now = clock_.now();
    std::vector<Waiting> told;
    {
        const std::lock_guard lock(mutex_);
        const auto goes_on = [&](const Waiting& one) {
            const auto found = entries_.find(one.provider);
            return !all && found != entries_.end() &&
                   (found->second.is_fetching || now >= found->second.due_at);
        };
        const auto first = std::stable_partition(waiting_.begin(), waiting_.end(), goes_on);
        std::move(first, waiting_.end(), std::back_inserter(told));
        waiting_.erase(first, waiting_.end());
    }
    for (const Waiting& one : told) one.done();
}

void KeySetUrls::wait(Duration max_wait) {
    const Instant now = clock_.now();
    std::unique_lock lock(mutex_);
    Duration until = std::min(max_wait, idle_time);
    for (const auto& [name, entry] : entries_) until = std::min(until, entry.due_at - now);
    if (until > Duration::zero()) woken_.wait_for(lock, until, [this] { return is_woken_; });
    is_woken_ = false;
}

runtime::Progress KeySetUrls::run(Duration max_wait) {
    std::size_t done = 0;
    while (const auto provider = begin_due()) {
        fetch(*provider);
        tell_waiting(false);
        ++done;
    }
    tell_waiting(false);
    if (done == 0) wait(max_wait);
    return {done, Duration::zero()};
}

void KeySetUrls::wake() {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
    woken_.notify_one();
}

void KeySetUrls::close() { tell_waiting(true); }

}  // namespace trackops::access
