// The bus on Apache Kafka.
#pragma once
#include <memory>
#include <string_view>

#include "platform/bus/bus.hpp"

namespace trackops::bus {

std::unique_ptr<Bus> open_kafka(std::string_view url, const Options& options,
                                telemetry::Registry& metrics);

}  // namespace trackops::bus
