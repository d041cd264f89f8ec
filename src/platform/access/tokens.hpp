// The tokens of identity providers as a service sees them: the providers of the access file, their
// keys, and a short memory of the tokens that it has verified.
#pragma once
#include <cstddef>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "platform/access/access_store.hpp"
#include "platform/access/key_set_urls.hpp"
#include "platform/access/token.hpp"
#include "platform/http/inquiry.hpp"
#include "platform/runtime/pump.hpp"
#include "platform/telemetry/health.hpp"

namespace trackops::access {

// Thread-safe. As a pump it looks at the key sets in files every `interval`. A key set that cannot
// be read or is not valid is refused with one line in the log, and the keys stay as they were.
// fetcher() is a second pump, which fetches the key sets of URLs (KeySetUrls). Metrics:
// - trackops_token_key_sets_total {outcome}: versions that were read: accepted, refused
// - trackops_token_keys: keys in force, of all providers
class Tokens final : public runtime::Pump {
public:
    static constexpr Duration interval = std::chrono::seconds(1);
    static constexpr Duration memory_time = std::chrono::seconds(30);  // of a verified token
    static constexpr std::size_t remembered_max = 4096;

    // Reads the key sets in files. The references outlive this.
    Tokens(AccessStore& callers, const Clock& clock, telemetry::Registry& metrics,
           KeySetUrls::Fetch fetch = fetch_key_set);

    bool has_providers() const;
    // Returns the caller of a token, or a stranger. A token that is not in memory takes some tens
    // of microseconds; it does not wait. Returns null for a token that names a key which its
    // provider may have made since its key set was fetched: inquire() has it fetched.
    std::shared_ptr<const http::Principal> identify(std::string_view token);
    // Answers with the caller of the token, once its provider's key set has been fetched.
    void inquire(std::string_view token, std::shared_ptr<http::Inquiry> inquiry);

    runtime::Progress run(Duration max_wait) override;
    runtime::Pump& fetcher() { return urls_; }
    // DOWN while a provider has no keys. Has the state of each key set that comes from a URL.
    telemetry::Component health_component();
    // Answers the inquiries that wait for a fetch.
    void close() { urls_.close(); }

private:
    using Providers = std::vector<KnownProvider>;
    struct Remembered {
        std::shared_ptr<const http::Principal> principal;
        Instant until;
    };
    struct KeySetFile {
        std::string text;  // of the version that was read last
        std::shared_ptr<const KeySet> keys;
        std::string told;  // the refusal that the log has, while it lasts
    };
    std::shared_ptr<const Providers> present() const;
    std::shared_ptr<const http::Principal> remembered(const Digest& digest) const;
    std::expected<std::shared_ptr<const http::Principal>, Outcome> verify(std::string_view token);
    const KeySetFile& read(const Provider& provider);

    AccessStore& callers_;
    const Clock& clock_;
    telemetry::Counter& accepted_;
    telemetry::Counter& refused_;
    telemetry::Gauge& keys_;

    mutable std::mutex mutex_;
    std::shared_ptr<const Providers> providers_;  // guarded by mutex_; not null
    std::map<Digest, Remembered> memory_;         // the same

    std::mutex reading_;                       // of one run() at a time
    std::map<std::string, KeySetFile> files_;  // by path; guarded by reading_
    KeySetUrls urls_;
};

}  // namespace trackops::access
