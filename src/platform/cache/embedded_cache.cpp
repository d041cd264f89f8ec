#include "platform/cache/embedded_cache.hpp"

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

// Shards, so that threads seldom meet. A power of two; each holds an equal part of the bytes, so an
// entry larger than a part is not kept.
constexpr std::size_t shard_count = 16;
constexpr std::size_t overhead_bytes = 128;  // of an entry: list and hash nodes

struct Counters {
    telemetry::Counter& hits;
    telemetry::Counter& misses;
    telemetry::Counter& evictions;
};

struct Size {
    std::size_t entries = 0;
    std::size_t bytes = 0;
};

// Least recently used at the back.
class Shard {
public:
    std::optional<Entry> get(std::string_view key, Instant now);
    // How many others had to leave for it.
    std::size_t put(std::string_view key, Entry entry, Instant now, Instant expires,
                    std::size_t bytes_max);
    void remove(std::string_view key);
    Size size() const;

private:
    struct Kept {
        std::string key;
        Entry entry;
        Instant expires;
    };
    using List = std::list<Kept>;

    static std::size_t bytes_of(const Kept& kept) {
        return kept.key.size() + kept.entry.value.size() + overhead_bytes;
    }
    void drop(List::iterator kept);

    mutable std::mutex mutex_;
    List list_;
    std::unordered_map<std::string_view, List::iterator> by_key_;  // keys live in the list
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
    Kept fresh{std::string(key), std::move(entry), expires};
    const std::scoped_lock lock(mutex_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
        const Kept& there = *found->second;
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

void Shard::drop(List::iterator kept) {
    bytes_ -= bytes_of(*kept);
    by_key_.erase(kept->key);
    list_.erase(kept);
}

Size Shard::size() const {
    const std::scoped_lock lock(mutex_);
    return {list_.size(), bytes_};
}

class EmbeddedCache final : public Cache {
public:
    EmbeddedCache(const Options& options, const Clock& clock, telemetry::Registry& metrics);

    std::optional<Entry> get(std::string_view key) override;
    void put(std::string_view key, Entry entry, Duration time_to_live) override;
    void remove(std::string_view key) override { shard_of(key).remove(key); }
    bool ping() override { return true; }

private:
    using Shards = std::array<Shard, shard_count>;
    Shard& shard_of(std::string_view key) {
        return (*shards_)[std::hash<std::string_view>()(key) % shard_count];
    }

    const std::size_t shard_bytes_max_;
    const Clock& clock_;
    const Counters counters_;
    // The registry outlives the cache and cannot forget a callback, which finds it gone then.
    const std::shared_ptr<Shards> shards_ = std::make_shared<Shards>();
};

EmbeddedCache::EmbeddedCache(const Options& options, const Clock& clock,
                             telemetry::Registry& metrics)
    : shard_bytes_max_(options.bytes_max / shard_count),
      clock_(clock),
      counters_{metrics.counter("trackops_cache_hits_total", "Reads that the cache answered"),
                metrics.counter("trackops_cache_misses_total", "Reads that it could not answer"),
                metrics.counter("trackops_cache_evictions_total", "Entries that left for others")} {
    metrics.on_scrape([shards = std::weak_ptr<const Shards>(shards_),
                       &entries = metrics.gauge("trackops_cache_entries", "Entries kept"),
                       &bytes = metrics.gauge("trackops_cache_bytes", "Memory that they take")] {
        const auto alive = shards.lock();
        if (alive == nullptr) return;
        Size sum;
        for (const Shard& shard : *alive) {
            const Size size = shard.size();
            sum.entries += size.entries;
            sum.bytes += size.bytes;
        }
        entries.set(static_cast<double>(sum.entries));
        bytes.set(static_cast<double>(sum.bytes));
    });
}

std::optional<Entry> EmbeddedCache::get(std::string_view key) {
    auto entry = shard_of(key).get(key, clock_.now());
    (entry ? counters_.hits : counters_.misses).add();
    return entry;
}

void EmbeddedCache::put(std::string_view key, Entry entry, Duration time_to_live) {
    const Instant now = clock_.now();
    const std::size_t evicted =
        shard_of(key).put(key, std::move(entry), now, now + time_to_live, shard_bytes_max_);
    if (evicted > 0) counters_.evictions.add(static_cast<double>(evicted));
}

}  // namespace

std::unique_ptr<Cache> open_embedded(const Options& options, const Clock& clock,
                                     telemetry::Registry& metrics) {
    return std::make_unique<EmbeddedCache>(options, clock, metrics);
}

}  // namespace trackops::cache
