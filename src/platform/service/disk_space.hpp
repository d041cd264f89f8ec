// The free space of the folder that holds a service's own data, as a health component.
#pragma once
#include <cstdint>
#include <string>

#include "platform/telemetry/health.hpp"

namespace trackops::service {

// Returns the component "diskSpace". It is DOWN while the file system of `folder` has less than
// `free_min_bytes` free for this user, because no write can then be relied on. It is part of
// readiness. The details are those of Spring Boot: total, free, threshold (bytes) and path.
telemetry::Component disk_space_component(const std::string& folder, std::uint64_t free_min_bytes);

}  // namespace trackops::service
