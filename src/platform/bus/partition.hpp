// Which partition a key belongs to: the same answer as Kafka's default partitioner.
#pragma once
#include <cstdint>
#include <string_view>

namespace trackops::bus {

std::uint32_t murmur2(std::string_view bytes);
// Stable for ever: a change would tear the order of keys that have messages already.
std::int32_t partition_of(std::string_view key, std::int32_t partitions);

}  // namespace trackops::bus
