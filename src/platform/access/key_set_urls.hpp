// The key sets of identity providers that are fetched from a URL.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/backoff.hpp"
#include "base/result.hpp"
#include "platform/access/provider.hpp"
#include "platform/access/token_keys.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops {
class Clock;
}
namespace trackops::telemetry {
class Counter;
class Gauge;
class Registry;
}  // namespace trackops::telemetry

namespace trackops::access {

// Returns the text that a provider's key_set_url answers, within the time. Redirects are not
// followed. Returns Errc::unavailable for no answer, another status than 200 or a CA file that
// cannot be read, and Errc::too_large beyond key_set_bytes_max. Blocks.
Result<std::string> fetch_key_set(const Provider& provider, Duration within);

// Thread-safe. As a pump it fetches each key set at once, then every refresh_interval, and between
// them when somebody asks for it. One fetch runs at a time, so all who ask meanwhile share it. A
// key set that cannot be fetched or is not valid leaves the keys as they were; it is told by one
// line in the log and tried again with a backoff. Metrics:
// - trackops_token_key_fetches_total {outcome}: fetched, failed, refused (the set is not valid)
// - trackops_token_keys_fetched_timestamp_seconds: the oldest of the present sets; 0 without one
class KeySetUrls final : public runtime::Pump {
public:
    static constexpr Duration refresh_interval = std::chrono::minutes(10);
    // Between two fetches of a key set for tokens whose key is not in it.
    static constexpr Duration ask_interval = std::chrono::seconds(10);
    static constexpr Duration fetch_time_max = std::chrono::seconds(5);
    static constexpr BackoffLimits retry_backoff{std::chrono::seconds(1), std::chrono::minutes(1)};
    static constexpr std::size_t waiting_max = 256;  // requests that wait for a fetch

    static constexpr Instant never{INT64_MIN};

    using Fetch = std::function<Result<std::string>(const Provider& provider, Duration within)>;
    // `on_change` is called by run() when a key set has changed, before those who wait are told.
    // `clock` and `metrics` outlive this.
    KeySetUrls(Fetch fetch, std::function<void()> on_change, const Clock& clock,
               telemetry::Registry& metrics);

    // From now on exactly the providers with a key_set_url are followed. Known keys stay.
    void follow(std::span<const Provider> providers);
    // Null: none could be fetched yet.
    std::shared_ptr<const KeySet> keys(const std::string& provider) const;

    // Whether ask() would wait for a fetch: the last one began ask_interval ago, or one is due or
    // under way, and fewer than waiting_max wait.
    bool may_ask(const std::string& provider) const;
    // Has the key set fetched, and calls `done` when that is over, however it ended. Returns false,
    // and does nothing, if may_ask() is false.
    bool ask(const std::string& provider, std::function<void()> done);

    struct State {
        std::string provider;
        std::size_t keys = 0;
        Instant fetched_at = never;
        std::string fault;  // of the last fetch; "" if it was good
    };
    std::vector<State> states() const;

    runtime::Progress run(Duration max_wait) override;
    void wake() override;
    // Calls what waits.
    void close();

private:
    struct Entry {
        Provider provider;
        std::shared_ptr<const KeySet> keys;
        Instant fetched_at = never;
        Instant due_at;            // of the next fetch
        Instant begun_at = never;  // of the last fetch
        bool is_fetching = false;
        std::int64_t failures = 0;
        std::string fault;
    };
    struct Waiting {
        std::string provider;
        std::function<void()> done;
    };
    bool takes_askers(const Entry& entry, Instant now) const;
    std::optional<Provider> begin_due();
    void fetch(const Provider& provider);
    void take(Entry& entry, Result<KeySet> fetched);
    void tell_waiting(bool all);
    void wait(Duration max_wait);
    void show_oldest() const;

    const Fetch fetch_;
    const std::function<void()> on_change_;
    const Clock& clock_;
    telemetry::Counter& fetched_;
    telemetry::Counter& failed_;
    telemetry::Counter& refused_;
    telemetry::Gauge& oldest_;

    mutable std::mutex mutex_;
    std::condition_variable woken_;
    bool is_woken_ = false;                 // guarded by mutex_
    std::map<std::string, Entry> entries_;  // by provider; the same
    std::vector<Waiting> waiting_;          // the same
};

}  // namespace trackops::access
