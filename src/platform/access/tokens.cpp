#include "platform/access/tokens.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

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

Tokens::Tokens(AccessStore& callers, const Clock& clock, telemetry::Registry& metrics,
               KeySetUrls::Fetch fetch)
    : callers_(callers),
      clock_(clock),
      accepted_(reads(metrics, "accepted")),
      refused_(reads(metrics, "refused")),
      keys_(metrics.gauge("trackops_token_keys", "Keys of identity providers that are in force")),
      providers_(std::make_shared<const Providers>()),
      urls_(std::move(fetch), [this] { run({}); }, clock, metrics) {
    run({});
}

std::shared_ptr<const Tokens::Providers> Tokens::present() const {
    const std::lock_guard lock(mutex_);
    return providers_;
}

bool Tokens::has_providers() const { return !present()->empty(); }

std::shared_ptr<const http::Principal> Tokens::remembered(const Digest& digest) const {
    const std::lock_guard lock(mutex_);
    const auto found = memory_.find(digest);
    return found != memory_.end() && clock_.now() < found->second.until ? found->second.principal
                                                                        : nullptr;
}

// Verifies a token by the present keys, and remembers one that is good.
std::expected<std::shared_ptr<const http::Principal>, Outcome> Tokens::verify(
    std::string_view token) {
    const Instant now = clock_.now();
    const Digest digest = sha256(token);
    if (auto known = remembered(digest)) return known;
    const auto providers = present();
    auto verified = verify_token(token, *providers, now);
    if (!verified) return std::unexpected(verified.error());
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

std::shared_ptr<const http::Principal> Tokens::identify(std::string_view token) {
    auto caller = verify(token);
    if (caller) return *std::move(caller);
    const Outcome outcome = caller.error();
    if ((outcome == Outcome::token_key || outcome == Outcome::token_unasked) &&
        urls_.may_ask(provider_of(token, *present())))
        return nullptr;
    return callers_.refuse(outcome);
}

void Tokens::inquire(std::string_view token, std::shared_ptr<http::Inquiry> inquiry) {
    const auto answer = [this, token = std::string(token), inquiry = std::move(inquiry)] {
        auto caller = verify(token);
        inquiry->answer(caller ? *std::move(caller) : callers_.refuse(caller.error()));
    };
    // Somebody else may have asked meanwhile, and the key be known or the limit reached.
    if (!urls_.ask(provider_of(token, *present()), answer)) answer();
}

runtime::Progress Tokens::run(Duration) {
    const std::lock_guard reading(reading_);
    auto fresh = std::make_shared<Providers>();
    std::size_t count = 0;
    const auto named = callers_.providers();
    urls_.follow(named);
    for (const Provider& provider : named) {
        std::shared_ptr<const KeySet> keys =
            provider.key_set_file.empty() ? urls_.keys(provider.name) : read(provider).keys;
        if (keys) count += keys->size();
        fresh->push_back({provider, std::move(keys)});
    }
    keys_.set(static_cast<double>(count));
    const auto is_same = [](const KnownProvider& a, const KnownProvider& b) {
        return a.provider == b.provider && a.keys == b.keys;
    };
    const std::lock_guard lock(mutex_);
    if (std::ranges::equal(*providers_, *fresh, is_same)) return {0, interval};
    providers_ = std::move(fresh);
    memory_.clear();
    return {1, interval};
}

// Requires reading_.
const Tokens::KeySetFile& Tokens::read(const Provider& provider) {
    KeySetFile& file = files_[provider.key_set_file];
    auto version = read_version(provider.key_set_file);
    if (version && version->text == file.text && file.told.empty()) return file;
    auto set =
        version ? read_key_set(version->text) : Result<KeySet>(std::unexpected(version.error()));
    if (set) {
        file = {std::move(version->text), std::make_shared<const KeySet>(*std::move(set)), ""};
        accepted_.add();
        return file;
    }
    if (file.told == set.error().detail) return file;
    refused_.add();
    file.told = set.error().detail;
    telemetry::log(
        telemetry::Level::error, "access", "a key set is refused; the keys stay as they were",
        {{"provider", provider.name}, {"file", provider.key_set_file}, {"fault", file.told}});
    return file;
}

telemetry::Component Tokens::health_component() {
    const auto ask = [this] {
        telemetry::ComponentHealth health;
        for (const KnownProvider& known : *present()) {
            if (!known.keys) health.status = telemetry::Status::down;
            health.details.emplace_back(
                known.provider.name,
                known.keys ? fmt::format("{} keys", known.keys->size()) : std::string("no keys"));
        }
        for (const KeySetUrls::State& state : urls_.states()) {
            if (state.fetched_at != KeySetUrls::never)
                health.details.emplace_back(state.provider + ".fetchedAt", state.fetched_at.text());
            if (!state.fault.empty())
                health.details.emplace_back(state.provider + ".fault", state.fault);
        }
        return health;
    };
    return {.name = "tokenKeys", .ask = ask, .in_readiness = false};
}

}  // namespace trackops::access
