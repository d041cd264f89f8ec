#include "platform/service/disk_space.hpp"

#include <filesystem>

namespace trackops::service {

telemetry::Component disk_space_component(const std::string& folder, std::uint64_t free_min_bytes) {
    return {.name = "diskSpace", .ask = [folder, free_min_bytes] {
                const auto space = std::filesystem::space(folder);
                const bool is_enough = space.available >= free_min_bytes;
                return telemetry::ComponentHealth{
                    is_enough ? telemetry::Status::up : telemetry::Status::down,
                    {{"total", std::to_string(space.capacity)},
                     {"free", std::to_string(space.available)},
                     {"threshold", std::to_string(free_min_bytes)},
                     {"path", folder}}};
            }};
}

}  // namespace trackops::service
