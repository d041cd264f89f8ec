// A cache as one process sees it: its own memory and, in some worlds, a shared server. The cache
// may be unavailable, lose entries, and return entries that another process has replaced. It never
// returns an expired entry, nor one that this process itself has replaced.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "platform/cache/cache.hpp"
#include "sim/shown.hpp"
#include "sim/world.hpp"

namespace trackops::sim {

class SimCache;

// The cache server that all processes share.
struct CacheServer {
    struct Put {
        cache::Entry entry;
        Instant expires_at;
    };
    using Puts = std::map<std::string, Put, std::less<>>;

    // False: there is no server, and each process has only its memory.
    bool is_there = true;
    Puts puts = {};
    Puts late = {};  // on their way; the next entry of their key overtakes them
    std::vector<SimCache*> processes = {};
    Shown* shown = nullptr;                  // learns which entries were lost
    const DatabaseServer* orders = nullptr;  // the entries are versions of these orders
};

class SimCache final : public cache::Cache {
public:
    SimCache(ProcessContext& process, CacheServer& server);
    ~SimCache() override;
    SimCache(const SimCache&) = delete;
    SimCache& operator=(const SimCache&) = delete;
    std::optional<cache::Entry> get_local(std::string_view key) override;
    std::vector<std::optional<cache::Entry>> get(std::span<const std::string> keys) override;
    // Checks the promise that no process shows a version more than 30 seconds after the version was
    // replaced.
    void put(std::string_view key, cache::Entry entry, Duration time_to_live) override;
    void remove(std::string_view key) override;
    bool ping() override { return true; }
    // Clears the memory, which does not outlive the process.
    void restarted() { memory_.clear(); }

private:
    std::optional<cache::Entry> find(std::string_view key);
    const CacheServer::Put* live(CacheServer::Puts& puts, std::string_view key) const;
    bool keep(CacheServer::Puts& puts, std::string_view key, const CacheServer::Put& put) const;
    void send(std::string_view key, const CacheServer::Put& put);
    void lost(std::string_view key);
    void arrived(std::string_view key);
    void check_age(std::string_view key, const CacheServer::Put& put) const;

    ProcessContext& process_;
    CacheServer& server_;
    CacheServer::Puts memory_;
};

}  // namespace trackops::sim
