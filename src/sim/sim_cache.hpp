// A cache server as one process sees it: a hint, that is away, forgets, and answers with what was
// replaced; but never with an entry that has outlived its time.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "platform/cache/cache.hpp"
#include "sim/world.hpp"

namespace trackops::sim {

// What the processes share: of each key all that was put and has not expired, the newest last.
struct CacheServer {
    struct Put {
        cache::Entry entry;
        Instant expires_at;
    };
    std::map<std::string, std::vector<Put>, std::less<>> keys;
};

class SimCache final : public cache::Cache {
public:
    SimCache(Site& site, CacheServer& server) : site_(site), server_(server) {}
    // Another process may have written meanwhile: this one's memory is as good as the server's.
    std::optional<cache::Entry> nearby(std::string_view key) override;
    std::vector<std::optional<cache::Entry>> get(std::span<const std::string> keys) override;
    void put(std::string_view key, cache::Entry entry, Duration time_to_live) override;
    void remove(std::string_view key) override;
    bool ping() override { return true; }

private:
    std::optional<cache::Entry> find(std::string_view key);

    Site& site_;
    CacheServer& server_;
};

}  // namespace trackops::sim
