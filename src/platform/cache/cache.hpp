// A cache of versioned entries. It is a hint and never the truth; an older version never replaces a
// newer one.
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

// Thread-safe. No function throws: an unavailable cache behaves as an empty one.
class Cache {
public:
    virtual ~Cache() = default;
    // Reads only the memory of this process. Never waits.
    virtual std::optional<Entry> get_local(std::string_view key) = 0;
    // Returns one result for each key, in order. May ask a server, for all keys at once, and waits
    // for at most Options::command_timeout. Does not ask while the server is unavailable.
    virtual std::vector<std::optional<Entry>> get(std::span<const std::string> keys) = 0;
    // Stores the entry unless a newer version is present; an equal version renews the entry. The
    // entry expires after time_to_live. Never waits: get() and ping() of this object see the
    // change, other processes a moment later. After an entry has expired or was removed, any
    // version is accepted, so a late writer can bring back an old version for its time_to_live.
    virtual void put(std::string_view key, Entry entry, Duration time_to_live) = 0;
    virtual void remove(std::string_view key) = 0;  // never waits, like put
    // For health: returns true if the cache answers.
    virtual bool ping() = 0;
};

struct Options {
    // A prefix of all keys on a server that others use too.
    std::string prefix = "trackops:cache:";
    // Maximum size of the entries in memory, including 128 bytes of overhead for each. The least
    // recently used entry is evicted first.
    std::size_t bytes_max = 16 * 1024 * 1024;
    // redis only: the time for which an entry is read from memory before the server is asked again.
    // The server reports changes to the memory; if such a report is lost unnoticed, an entry can be
    // stale for this long.
    Duration memory_time_to_live = std::chrono::seconds(1);
    Duration connect_timeout = std::chrono::milliseconds(100);
    Duration command_timeout = std::chrono::milliseconds(50);
};

}  // namespace trackops::cache
