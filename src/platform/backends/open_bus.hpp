// Opens the message bus that a URL names, with either driver.
#pragma once
#include <memory>
#include <string_view>

#include "platform/bus/bus.hpp"

namespace trackops::backends {

// embedded:DIR keeps the log in DIR. It is synced before messages are acknowledged, once for each
// burst. Another process on the same DIR is refused with std::runtime_error.
// kafka://HOST:PORT[,HOST:PORT...][?prefix=P&replication=N&partitions=N] connects when it is first
// used. The prefix is part of every topic and group name on the broker, and appears nowhere else.
// Throws std::invalid_argument with the reason if the URL is invalid.
std::unique_ptr<bus::Bus> open_bus(std::string_view url, const bus::Options& options,
                                   const Clock& clock, telemetry::Registry& metrics);

}  // namespace trackops::backends
