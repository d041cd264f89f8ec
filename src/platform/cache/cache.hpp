// A hint, never the truth: versioned entries of which an older never replaces a newer.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"

namespace trackops {
class Clock;
}
namespace trackops::telemetry {
class Registry;
}

namespace trackops::cache {

struct Entry {
    std::int64_t version = 0;  // never below 0
    std::string value;
};

// Thread-safe. Nothing throws: a cache that is away is an empty cache.
class Cache {
public:
    virtual ~Cache() = default;
    // What the memory of this process has; never waits.
    virtual std::optional<Entry> get_local(std::string_view key) = 0;
    // One answer a key, in order. May ask a server, all keys at once, and waits for it no longer
    // than Options::command_timeout; not at all while the server is away.
    virtual std::vector<std::optional<Entry>> get(std::span<const std::string> keys) = 0;
    // Kept unless a newer version is there already (an equal version renews the entry); forgotten
    // after time_to_live. Never waits: get() and ping() of this object find it done, other
    // processes a moment later. After an entry has expired or was removed any version may come
    // in, so a late writer can bring an old one back for the time_to_live that it gives.
    virtual void put(std::string_view key, Entry entry, Duration time_to_live) = 0;
    virtual void remove(std::string_view key) = 0;  // never waits, as put
    // For health: true when it answers.
    virtual bool ping() = 0;
};

struct Options {
    // In front of each key where others keep keys, too.
    std::string prefix = "trackops:cache:";
    // Keys and values in memory; the least recently used leaves first.
    std::size_t bytes_max = 16 * 1024 * 1024;
    // redis: how long an entry answers from memory before the server is asked again. MemoryCache is
    // told of changes by the server; should that fail unnoticed, this is how old an answer can be.
    Duration memory_time_to_live = std::chrono::seconds(1);
    Duration connect_timeout = std::chrono::milliseconds(100);
    Duration command_timeout = std::chrono::milliseconds(50);
};

// embedded: keeps entries in the memory of this process.
// redis://[[user]:password@]host[:port][/database][?passwordFile=FILE] keeps them in Redis, 6 or
// newer, and in memory in front of it. Without a password in the URL that of the environment
// (TRACKOPS_REDIS_PASSWORD) counts. Redis need not be there, now or later.
// Throws std::invalid_argument naming what is wrong with the URL, never a password.
std::unique_ptr<Cache> open(std::string_view url, const Options& options, const Clock& clock,
                            telemetry::Registry& metrics);

}  // namespace trackops::cache
