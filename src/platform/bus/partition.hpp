// Assigns keys to partitions as Kafka's default partitioner does.
#pragma once
#include <cstdint>
#include <string_view>

namespace trackops::bus {

std::uint32_t murmur2(std::string_view bytes);
// Must never change: another result would break the order of keys that have messages already.
std::int32_t partition_of(std::string_view key, std::int32_t partitions);

}  // namespace trackops::bus
