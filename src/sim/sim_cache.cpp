#include "sim/sim_cache.hpp"

#include <algorithm>

#include "sim/mutants.hpp"

namespace trackops::sim {

std::optional<cache::Entry> SimCache::find(std::string_view key) {
    World& world = site_.world;
    const auto found = server_.keys.find(key);
    if (site_.is_gone || found == server_.keys.end()) return std::nullopt;
    auto& puts = found->second;
    std::erase_if(puts, [&](const CacheServer::Put& put) { return put.expires_at <= world.now; });
    if (world.faults.strikes(Fault::cache_forgets)) puts.clear();
    if (puts.empty() || world.faults.strikes(Fault::cache_away)) return std::nullopt;
    const bool lies = puts.size() > 1 && world.faults.strikes(Fault::cache_stale);
    return (lies ? puts.front() : puts.back()).entry;
}

std::optional<cache::Entry> SimCache::nearby(std::string_view key) {
    return site_.world.schedule.happens(0.5) ? find(key) : std::nullopt;
}

std::vector<std::optional<cache::Entry>> SimCache::get(std::span<const std::string> keys) {
    if (!site_.is_gone) site_.enter(Fault::crash_at_cache);
    std::vector<std::optional<cache::Entry>> entries;
    for (const std::string& key : keys) entries.push_back(find(key));
    return entries;
}

void SimCache::put(std::string_view key, cache::Entry entry, Duration time_to_live) {
    if (site_.is_gone) return;
    World& world = site_.world;
    const bool is_kept = world.mutant != nullptr && world.mutant->wrong == Wrong::cache_keeps;
    if (is_kept) time_to_live = std::chrono::hours(1);
    if (time_to_live <= Duration::zero() || world.faults.strikes(Fault::cache_away)) return;
    auto& puts = server_.keys[std::string(key)];
    std::erase_if(puts, [&](const CacheServer::Put& put) { return put.expires_at <= world.now; });
    if (!puts.empty() && puts.back().entry.version > entry.version) return;
    puts.push_back({std::move(entry), world.now + time_to_live});
}

void SimCache::remove(std::string_view key) {
    if (const auto found = server_.keys.find(key); found != server_.keys.end())
        server_.keys.erase(found);
}

}  // namespace trackops::sim
