#include "platform/bus/partition.hpp"

#include <cstddef>

namespace trackops::bus {

std::uint32_t murmur2(std::string_view bytes) {
    constexpr std::uint32_t seed = 0x9747b28c;
    constexpr std::uint32_t factor = 0x5bd1e995;
    const auto at = [&](std::size_t i) -> std::uint32_t {
        return static_cast<unsigned char>(bytes[i]);
    };
    std::uint32_t hash = seed ^ static_cast<std::uint32_t>(bytes.size());
    std::size_t i = 0;
    for (; i + 4 <= bytes.size(); i += 4) {
        std::uint32_t block = at(i) | at(i + 1) << 8 | at(i + 2) << 16 | at(i + 3) << 24;
        block *= factor;
        block ^= block >> 24;
        hash = hash * factor ^ block * factor;
    }
    const std::size_t tail = bytes.size() - i;
    if (tail == 3) hash ^= at(i + 2) << 16;
    if (tail >= 2) hash ^= at(i + 1) << 8;
    if (tail >= 1) hash = (hash ^ at(i)) * factor;
    hash = (hash ^ hash >> 13) * factor;
    return hash ^ hash >> 15;
}

std::int32_t partition_of(std::string_view key, std::int32_t partitions) {
    const std::uint32_t positive = murmur2(key) & 0x7fffffff;
    return static_cast<std::int32_t>(positive % static_cast<std::uint32_t>(partitions));
}

}  // namespace trackops::bus
