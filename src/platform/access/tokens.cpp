#include "platform/access/tokens.hpp"

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "platform/access/file_version.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::access {
namespace {

telemetry::Counter& reads(telemetry::Registry& metrics, const char* outcome) {
    return metrics.counter("trackops_token_key_sets_total",
                           "Versions of key sets of identity providers that were read",
                           {{"outcome", outcome}});
}

}  // namespace

Tokens::Tokens(AccessStore& callers, const Clock& clock, telemetry::Registry& metrics)
    : callers_(callers),
      clock_(clock),
      accepted_(reads(metrics, "accepted")),
      refused_(reads(metrics, "refused")),
      keys_(metrics.gauge("trackops_token_keys", "Keys of identity providers that are in force")),
      providers_(std::make_shared<const Providers>()) {
    run({});
}

std::shared_ptr<const Tokens::Providers> Tokens::present() const {
    const std::lock_guard lock(mutex_);
    return providers_;
}

bool Tokens::has_providers() const { return !present()->empty(); }

std::shared_ptr<const http::Principal> Tokens::identify(std::string_view token) {
    const Instant now = clock_.now();
    const Digest digest = sha256(token);
    const auto providers = present();
    {
        const std::lock_guard lock(mutex_);
        const auto found = memory_.find(digest);
        if (found != memory_.end() && now < found->second.until) return found->second.principal;
    }
    auto verified = verify_token(token, *providers, now);
    if (!verified) return callers_.refuse(verified.error());
    auto principal = std::make_shared<const http::Principal>(std::move(verified->principal));
    const std::lock_guard lock(mutex_);
    if (memory_.size() >= remembered_max)
        std::erase_if(memory_, [&](const auto& one) { return now >= one.second.until; });
    // Keys that have changed meanwhile may not know the token any more.
    if (memory_.size() < remembered_max && providers == providers_)
        memory_.insert_or_assign(
            digest, Remembered{principal, std::min(now + memory_time, verified->ends_at)});
    return principal;
}

runtime::Progress Tokens::run(Duration) {
    auto fresh = std::make_shared<Providers>();
    std::size_t keys = 0;
    for (const Provider& provider : callers_.providers()) {
        KeySetFile& file = files_[provider.key_set_file];
        read(provider, file);
        if (file.keys) keys += file.keys->size();
        fresh->push_back({provider, file.keys});
    }
    keys_.set(static_cast<double>(keys));
    const auto is_same = [](const KnownProvider& a, const KnownProvider& b) {
        return a.provider == b.provider && a.keys == b.keys;
    };
    const std::lock_guard lock(mutex_);
    if (std::ranges::equal(*providers_, *fresh, is_same)) return {0, interval};
    providers_ = std::move(fresh);
    memory_.clear();
    return {1, interval};
}

void Tokens::read(const Provider& provider, KeySetFile& file) {
    auto version = read_version(provider.key_set_file);
    if (version && version->text == file.text && file.told.empty()) return;
    auto set =
        version ? read_key_set(version->text) : Result<KeySet>(std::unexpected(version.error()));
    if (set) {
        file = {std::move(version->text), std::make_shared<const KeySet>(*std::move(set)), ""};
        accepted_.add();
        return;
    }
    if (file.told == set.error().detail) return;
    refused_.add();
    file.told = set.error().detail;
    telemetry::log(
        telemetry::Level::error, "access", "a key set is refused; the keys stay as they were",
        {{"provider", provider.name}, {"file", provider.key_set_file}, {"fault", file.told}});
}

}  // namespace trackops::access
