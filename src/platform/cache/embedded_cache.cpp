#include "platform/cache/embedded_cache.hpp"

#include <utility>

#include "platform/cache/memory_cache.hpp"
#include "platform/cache/meters.hpp"

namespace trackops::cache {
namespace {

class EmbeddedCache final : public Cache {
public:
    EmbeddedCache(const Options& options, const Clock& clock, telemetry::Registry& metrics)
        : memory_(options.bytes_max, clock, metrics), meters_(metrics) {}

    std::optional<Entry> get_local(std::string_view key) override {
        auto entry = memory_.get(key);
        if (entry) meters_.memory_hits.add();
        return entry;
    }
    std::vector<std::optional<Entry>> get(std::span<const std::string> keys) override {
        std::vector<std::optional<Entry>> found;
        found.reserve(keys.size());
        for (const std::string& key : keys) {
            found.push_back(get_local(key));
            if (!found.back()) meters_.misses.add();
        }
        return found;
    }
    void put(std::string_view key, Entry entry, Duration time_to_live) override {
        memory_.put(key, std::move(entry), time_to_live);
    }
    void remove(std::string_view key) override { memory_.remove(key); }
    bool ping() override { return true; }

private:
    MemoryCache memory_;
    const ReadMeters meters_;
};

}  // namespace

std::unique_ptr<Cache> open_embedded(const Options& options, const Clock& clock,
                                     telemetry::Registry& metrics) {
    return std::make_unique<EmbeddedCache>(options, clock, metrics);
}

}  // namespace trackops::cache
