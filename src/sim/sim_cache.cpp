#include "sim/sim_cache.hpp"

#include <algorithm>
#include <utility>

#include "sim/mutants.hpp"

namespace trackops::sim {
namespace {

constexpr Duration entry_lives = std::chrono::seconds(30);
// The time to live in memory in front of a server, whose invalidations may get lost.
constexpr Duration memory_lives = std::chrono::seconds(1);

bool is_mutant_active(const World& world, MutantKind kind) {
    return world.mutant != nullptr && world.mutant->kind == kind;
}

}  // namespace

SimCache::SimCache(ProcessContext& process, CacheServer& server)
    : process_(process), server_(server) {
    server_.processes.push_back(this);
}

SimCache::~SimCache() { std::erase(server_.processes, this); }

const CacheServer::Put* SimCache::live(CacheServer::Puts& puts, std::string_view key) const {
    const auto found = puts.find(key);
    if (found == puts.end()) return nullptr;
    if (found->second.expires_at > process_.world.now) return &found->second;
    puts.erase(found);
    return nullptr;
}

// Stores the entry unless a newer version is present; returns false in that case.
bool SimCache::keep(CacheServer::Puts& puts, std::string_view key,
                    const CacheServer::Put& put) const {
    const World& world = process_.world;
    const auto* const there = live(puts, key);
    const bool is_older = there != nullptr && there->entry.version > put.entry.version;
    if (is_older && !is_mutant_active(world, MutantKind::cache_takes_older)) return false;
    if (there != nullptr && is_mutant_active(world, MutantKind::cache_replaces_nothing))
        return false;
    if (put.expires_at > world.now)
        puts.insert_or_assign(std::string(key), put);
    else if (there != nullptr)
        puts.erase(puts.find(key));
    return true;
}

void SimCache::lost(std::string_view key) {
    const auto order = Uuid::parse(key);
    if (server_.shown != nullptr && order) server_.shown->lost(*order);
}

std::optional<cache::Entry> SimCache::get_local(std::string_view key) {
    if (process_.is_destroyed) return std::nullopt;
    const auto* const kept = live(memory_, key);
    if (kept == nullptr) return std::nullopt;
    if (process_.world.faults.occurs(Fault::cache_evicts)) {
        memory_.erase(memory_.find(key));
        lost(key);
        return std::nullopt;
    }
    return kept->entry;
}

std::optional<cache::Entry> SimCache::find(std::string_view key) {
    World& world = process_.world;
    if (auto near = get_local(key)) return near;
    if (process_.is_destroyed || !server_.is_there) return std::nullopt;
    const auto* const kept = live(server_.puts, key);
    if (kept == nullptr || world.faults.occurs(Fault::cache_away)) return std::nullopt;
    CacheServer::Put copy = *kept;
    copy.expires_at = std::min(copy.expires_at, world.now + memory_lives);
    memory_.insert_or_assign(std::string(key), copy);
    return copy.entry;
}

std::vector<std::optional<cache::Entry>> SimCache::get(std::span<const std::string> keys) {
    if (!process_.is_destroyed) process_.enter_port_call(Fault::crash_at_cache);
    std::vector<std::optional<cache::Entry>> entries;
    for (const std::string& key : keys) entries.push_back(find(key));
    return entries;
}

void SimCache::put(std::string_view key, cache::Entry entry, Duration time_to_live) {
    if (process_.is_destroyed) return;
    World& world = process_.world;
    if (is_mutant_active(world, MutantKind::cache_skips) && world.mutant->query == process_.running)
        return;
    if (is_mutant_active(world, MutantKind::cache_ages_from_put)) time_to_live = entry_lives;
    CacheServer::Put put{std::move(entry), world.now + time_to_live};
    check_age(key, put);
    if (is_mutant_active(world, MutantKind::cache_keeps))
        put.expires_at = world.now + std::chrono::hours(1);
    if (!server_.is_there) {
        keep(memory_, key, put);
        return;
    }
    // With a server, only reads fill the memory.
    if (!is_mutant_active(world, MutantKind::cache_replaces_nothing)) remove(key);
    send(key, put);
}

// Stores the entry on the server and invalidates older entries in the memory of all processes,
// unless an invalidation is lost.
void SimCache::send(std::string_view key, const CacheServer::Put& put) {
    World& world = process_.world;
    if (world.faults.occurs(Fault::cache_away)) return lost(key);
    const auto overtaken = server_.late.find(key);
    if (overtaken == server_.late.end() && world.faults.occurs(Fault::cache_late)) {
        server_.late.emplace(key, put);
        return lost(key);
    }
    const bool is_kept = keep(server_.puts, key, put);
    if (is_kept) {
        for (SimCache* const other : server_.processes) {
            const auto found = other->memory_.find(key);
            if (found == other->memory_.end()) continue;
            if (world.faults.occurs(Fault::cache_stale)) continue;
            other->memory_.erase(found);
        }
    }
    if (overtaken != server_.late.end()) {
        keep(server_.puts, key, overtaken->second);
        server_.late.erase(overtaken);
        arrived(key);
    }
}

// The newest version is on the server now. It counts unless a process has an older one in memory:
// it may have read that one while the newest was on its way, and missed the invalidation.
void SimCache::arrived(std::string_view key) {
    const auto order = Uuid::parse(key);
    if (server_.shown == nullptr || !order) return;
    const auto* const newest = live(server_.puts, key);
    const bool is_older_somewhere =
        std::ranges::any_of(server_.processes, [&](const SimCache* other) {
            const auto found = other->memory_.find(key);
            return found != other->memory_.end() && newest != nullptr &&
                   found->second.entry.version < newest->entry.version;
        });
    if (!is_older_somewhere) server_.shown->arrived(*order);
}

// Removes the entry from this process's memory only; the entry on the server is replaced or
// expires.
void SimCache::remove(std::string_view key) {
    if (const auto found = memory_.find(key); found != memory_.end()) memory_.erase(found);
}

void SimCache::check_age(std::string_view key, const CacheServer::Put& put) const {
    const auto order = Uuid::parse(key);
    if (server_.orders == nullptr || !order) return;
    const auto changes = server_.orders->changes.find(*order);
    if (changes == server_.orders->changes.end()) return;
    const auto next = changes->second.find(put.entry.version + 1);
    if (next == changes->second.end()) return;
    // A read compares two times of one clock. A version that another process wrote is dated by
    // another clock, so the skew counts twice.
    World& world = process_.world;
    const Duration skew =
        process_.running == "order-finding" ? Duration::zero() : 2 * world.skew_max;
    if (put.expires_at <= next->second.at + entry_lives + skew) return;
    world.broken("a_cache_knows_ages",
                 fmt::format("{} keeps version {} of {} for {} us longer than half a minute after "
                             "it was replaced",
                             process_.name, put.entry.version, world.trace_log.name_of(*order),
                             (put.expires_at - next->second.at - entry_lives).count()));
}

}  // namespace trackops::sim
