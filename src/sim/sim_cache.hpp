// A cache as one process sees it: its own memory, and in some worlds a server that all share. A
// hint, that is away, forgets, and answers with what another process has replaced; but never with
// an entry that has outlived its time, nor with one that this process has replaced itself.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "platform/cache/cache.hpp"
#include "sim/shown.hpp"
#include "sim/world.hpp"

namespace trackops::sim {

class SimCache;

// What the processes share.
struct CacheServer {
    struct Put {
        cache::Entry entry;
        Instant expires_at;
    };
    using Puts = std::map<std::string, Put, std::less<>>;

    bool is_there = true;  // not: each process has nothing but its memory
    Puts puts = {};
    std::vector<SimCache*> processes = {};
    Shown* shown = nullptr;                  // told of entries that were lost
    const DatabaseServer* orders = nullptr;  // whose versions the entries are
};

class SimCache final : public cache::Cache {
public:
    SimCache(ProcessContext& process, CacheServer& server);
    ~SimCache() override;
    SimCache(const SimCache&) = delete;
    SimCache& operator=(const SimCache&) = delete;
    std::optional<cache::Entry> get_local(std::string_view key) override;
    std::vector<std::optional<cache::Entry>> get(std::span<const std::string> keys) override;
    // The promise that is checked here: half a minute after a version was replaced nobody shows it.
    void put(std::string_view key, cache::Entry entry, Duration time_to_live) override;
    void remove(std::string_view key) override;
    bool ping() override { return true; }
    // The memory of a process goes with it.
    void restarted() { memory_.clear(); }

private:
    std::optional<cache::Entry> find(std::string_view key);
    const CacheServer::Put* live(CacheServer::Puts& puts, std::string_view key) const;
    bool keep(CacheServer::Puts& puts, std::string_view key, const CacheServer::Put& put) const;
    void send(std::string_view key, const CacheServer::Put& put);
    void lost(std::string_view key);
    void check_age(std::string_view key, const CacheServer::Put& put) const;

    ProcessContext& process_;
    CacheServer& server_;
    CacheServer::Puts memory_;
};

}  // namespace trackops::sim
