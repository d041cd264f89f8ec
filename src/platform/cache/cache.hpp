// A hint, never the truth: versioned entries of which an older never replaces a newer.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.hpp"

namespace trackops {
class Clock;
}
namespace trackops::telemetry {
class Registry;
}

namespace trackops::cache {

struct Entry {
    std::int64_t version = 0;
    std::string value;
};

// Thread-safe. Nothing throws: a cache that is away is an empty cache.
class Cache {
public:
    virtual ~Cache() = default;
    virtual std::optional<Entry> get(std::string_view key) = 0;
    // Kept unless a newer version is there already (an equal version renews the entry); forgotten
    // after time_to_live.
    virtual void put(std::string_view key, Entry entry, Duration time_to_live) = 0;
    virtual void remove(std::string_view key) = 0;
    // For health: true when it answers.
    virtual bool ping() = 0;
};

struct Options {
    std::size_t bytes_max =
        16 * 1024 * 1024;  // keys and values; the least recently used leaves first
};

// embedded: keeps entries in the memory of this process. Throws std::invalid_argument naming what
// is wrong with the URL.
std::unique_ptr<Cache> open(std::string_view url, const Options& options, const Clock& clock,
                            telemetry::Registry& metrics);

}  // namespace trackops::cache
