// The tokens of identity providers as a service sees them: the providers of the access file, their
// keys, and a short memory of the tokens that it has verified.
#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "platform/access/access_store.hpp"
#include "platform/access/token.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops::access {

// Thread-safe. As a pump it looks at the key sets every `interval`. A key set that cannot be read
// or is not valid is refused with one line in the log, and the keys stay as they were. Metrics:
// - trackops_token_key_sets_total {outcome}: versions that were read: accepted, refused
// - trackops_token_keys: keys in force, of all providers
class Tokens final : public runtime::Pump {
public:
    static constexpr Duration interval = std::chrono::seconds(1);
    static constexpr Duration memory_time = std::chrono::seconds(30);  // of a verified token
    static constexpr std::size_t remembered_max = 4096;

    // Reads the key sets. The references outlive this.
    Tokens(AccessStore& callers, const Clock& clock, telemetry::Registry& metrics);

    bool has_providers() const;
    // Returns the caller of a token, or a stranger; not null. A token that is not in memory takes
    // some tens of microseconds; it does not wait.
    std::shared_ptr<const http::Principal> identify(std::string_view token);

    runtime::Progress run(Duration max_wait) override;

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
    void read(const Provider& provider, KeySetFile& file);

    AccessStore& callers_;
    const Clock& clock_;
    telemetry::Counter& accepted_;
    telemetry::Counter& refused_;
    telemetry::Gauge& keys_;

    mutable std::mutex mutex_;
    std::shared_ptr<const Providers> providers_;  // guarded by mutex_; not null
    std::map<Digest, Remembered> memory_;         // the same

    std::map<std::string, KeySetFile> files_;  // by path; the pump's own
};

}  // namespace trackops::access
