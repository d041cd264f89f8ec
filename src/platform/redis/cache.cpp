#include "platform/redis/cache.hpp"

#include <utility>

#include "platform/cache/memory_cache.hpp"
#include "platform/cache/meters.hpp"
#include "platform/redis/link.hpp"

namespace trackops::cache {
namespace {

class RedisCache final : public Cache {
public:
    RedisCache(RedisTarget target, const Options& options, const Clock& clock,
               telemetry::Registry& metrics)
        : memory_(options.bytes_max, clock, metrics),
          meters_(metrics),
          redis_hits_(ReadMeters::hits(metrics, "redis")),
          link_(std::move(target), options, clock, metrics, memory_) {}

    std::optional<Entry> get_local(std::string_view key) override;
    std::vector<std::optional<Entry>> get(std::span<const std::string> keys) override;
    void put(std::string_view key, Entry entry, Duration time_to_live) override {
        link_.put(key, std::move(entry), time_to_live);
    }
    void remove(std::string_view key) override { link_.remove(key); }
    bool ping() override { return link_.ping(); }

private:
    MemoryCache memory_;
    const ReadMeters meters_;
    telemetry::Counter& redis_hits_;
    RedisLink link_;
};

std::optional<Entry> RedisCache::get_local(std::string_view key) {
    auto entry = memory_.get(key);
    if (entry) meters_.memory_hits.add();
    return entry;
}

std::vector<std::optional<Entry>> RedisCache::get(std::span<const std::string> keys) {
    std::vector<std::optional<Entry>> found(keys.size());
    std::vector<std::string> asked;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        found[i] = get_local(keys[i]);
        if (found[i]) continue;
        asked.push_back(keys[i]);
        places.push_back(i);
    }
    if (asked.empty()) return found;
    auto fetched = link_.get(asked);
    for (std::size_t i = 0; i < asked.size(); ++i) {
        (fetched[i] ? redis_hits_ : meters_.misses).add();
        found[places[i]] = std::move(fetched[i]);
    }
    return found;
}

}  // namespace

std::unique_ptr<Cache> open_redis(RedisTarget target, const Options& options, const Clock& clock,
                                  telemetry::Registry& metrics) {
    return std::make_unique<RedisCache>(std::move(target), options, clock, metrics);
}

}  // namespace trackops::cache
