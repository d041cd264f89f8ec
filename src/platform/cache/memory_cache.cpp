#include "platform/cache/memory_cache.hpp"

#include <array>
#include <functional>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::cache {
namespace {

// Shards reduce contention between threads. The number is a power of two. Each shard holds an equal
// part of the bytes, so an entry larger than that part is not stored.
constexpr std::size_t shard_count = 16;
constexpr std::size_t overhead_bytes = 128;  // list and hash nodes of an entry

struct Size {
    std::size_t entries = 0;
    std::size_t bytes = 0;
};

// One shard. The least recently used entry is at the back of the list.
class Shard {
public:
    std::optional<Entry> get(std::string_view key, Instant now);
    // Returns the number of evicted entries.
    std::size_t put(std::string_view key, Entry entry, Instant now, Instant expires,
                    std::size_t bytes_max);
    void remove(std::string_view key);
    void clear();
    Size size() const;

private:
    struct CachedEntry {
        std::string key;
        Entry entry;
        Instant expires;
    };
    using List = std::list<CachedEntry>;

    static std::size_t bytes_of(const CachedEntry& kept) {
        return kept.key.size() + kept.entry.value.size() + overhead_bytes;
    }
    void drop(List::iterator kept);

    mutable std::mutex mutex_;
    List list_;
    // Keys refer to the list's strings.
    std::unordered_map<std::string_view, List::iterator> by_key_;
    std::size_t bytes_ = 0;
};

std::optional<Entry> Shard::get(std::string_view key, Instant now) {
    const std::scoped_lock lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return std::nullopt;
    const List::iterator kept = found->second;
    if (kept->expires <= now) {
        drop(kept);
        return std::nullopt;
    }
    list_.splice(list_.begin(), list_, kept);
    return kept->entry;
}

std::size_t Shard::put(std::string_view key, Entry entry, Instant now, Instant expires,
                       std::size_t bytes_max) {
    CachedEntry fresh{std::string(key), std::move(entry), expires};
    const std::scoped_lock lock(mutex_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
        const CachedEntry& there = *found->second;
        if (there.expires > now && there.entry.version > fresh.entry.version) return 0;
        drop(found->second);
    }
    if (expires <= now) return 0;
    bytes_ += bytes_of(fresh);
    list_.push_front(std::move(fresh));
    by_key_.emplace(list_.front().key, list_.begin());
    std::size_t evicted = 0;
    for (; bytes_ > bytes_max; ++evicted) drop(std::prev(list_.end()));
    return evicted;
}

void Shard::remove(std::string_view key) {
    const std::scoped_lock lock(mutex_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) drop(found->second);
}

void Shard::clear() {
    const std::scoped_lock lock(mutex_);
    by_key_.clear();
    list_.clear();
    bytes_ = 0;
}

void Shard::drop(List::iterator kept) {
    bytes_ -= bytes_of(*kept);
    by_key_.erase(kept->key);
    list_.erase(kept);
}

Size Shard::size() const {
    const std::scoped_lock lock(mutex_);
    return {list_.size(), bytes_};
}

}  // namespace

struct MemoryCache::State {
    Shard& shard_of(std::string_view key) {
        return shards[std::hash<std::string_view>()(key) % shard_count];
    }
    Size size() const {
        Size sum;
        for (const Shard& shard : shards) {
            const Size size = shard.size();
            sum.entries += size.entries;
            sum.bytes += size.bytes;
        }
        return sum;
    }

    const std::size_t shard_bytes_max;
    const Clock& clock;
    telemetry::Counter& evictions;
    std::array<Shard, shard_count> shards = {};
};

MemoryCache::MemoryCache(std::size_t bytes_max, const Clock& clock, telemetry::Registry& metrics)
    : state_(new State{
          bytes_max / shard_count, clock,
          metrics.counter("trackops_cache_evictions_total", "Entries that left for others")}) {
    metrics.on_scrape([weak = std::weak_ptr<const State>(state_),
                       &entries = metrics.gauge("trackops_cache_entries", "Entries in memory"),
                       &bytes = metrics.gauge("trackops_cache_bytes", "Memory that they take")] {
        const auto state = weak.lock();
        if (state == nullptr) return;
        const Size sum = state->size();
        entries.set(static_cast<double>(sum.entries));
        bytes.set(static_cast<double>(sum.bytes));
    });
}

MemoryCache::~MemoryCache() = default;

std::optional<Entry> MemoryCache::get(std::string_view key) {
    return state_->shard_of(key).get(key, state_->clock.now());
}

void MemoryCache::put(std::string_view key, Entry entry, Duration time_to_live) {
    const Instant now = state_->clock.now();
    const std::size_t evicted = state_->shard_of(key).put(
        key, std::move(entry), now, now + time_to_live, state_->shard_bytes_max);
    if (evicted > 0) state_->evictions.add(static_cast<double>(evicted));
}

void MemoryCache::remove(std::string_view key) { state_->shard_of(key).remove(key); }

void MemoryCache::clear() {
    for (Shard& shard : state_->shards) shard.clear();
}

}  // namespace trackops::cache
