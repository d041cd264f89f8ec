#include "platform/backends/open_bus.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "platform/embedded_log/embedded_bus.hpp"
#include "platform/kafka/bus.hpp"

namespace trackops::backends {

std::unique_ptr<bus::Bus> open_bus(std::string_view url, const bus::Options& options,
                                   const Clock& clock, telemetry::Registry& metrics) {
    constexpr std::string_view embedded = "embedded:";
    if (url.starts_with(embedded)) {
        const std::string_view folder = url.substr(embedded.size());
        if (folder.empty()) throw std::invalid_argument("bus URL embedded: names no folder");
        return bus::open_embedded(std::string(folder), options, clock, metrics);
    }
    if (url.starts_with("kafka://")) {
        return bus::open_kafka(url, options, metrics);
    }
    // Shows only the scheme, because the rest may contain a password.
    throw std::invalid_argument(
        fmt::format("bus URL '{}:...' is neither embedded:DIR nor kafka://HOST:PORT",
                    url.substr(0, std::min<std::size_t>(url.find(':'), 20))));
}

}  // namespace trackops::backends
