// Versioned entries in the memory of this process, with least-recently-used eviction.
#pragma once
#include <memory>
#include <optional>
#include <string_view>

#include "platform/cache/cache.hpp"

namespace trackops::cache {

// Thread-safe. Its size and its evictions are metrics.
class MemoryCache {
public:
    // `clock` and `metrics` outlive it.
    MemoryCache(std::size_t bytes_max, const Clock& clock, telemetry::Registry& metrics);
    ~MemoryCache();
    std::optional<Entry> get(std::string_view key);  // empty if missing or expired
    // As Cache::put. An entry larger than a sixteenth of bytes_max is not stored.
    void put(std::string_view key, Entry entry, Duration time_to_live);
    void remove(std::string_view key);
    void clear();

private:
    struct State;
    // The registry outlives the cache and cannot unregister a callback. The callback holds a weak
    // pointer and finds it expired.
    const std::shared_ptr<State> state_;
};

}  // namespace trackops::cache
