#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "platform/bus/bus.hpp"
#include "platform/embedded_log/embedded_bus.hpp"
#include "platform/kafka/bus.hpp"

namespace trackops::bus {

std::unique_ptr<Bus> open(std::string_view url, const Options& options, const Clock& clock,
                          telemetry::Registry& metrics) {
    constexpr std::string_view embedded = "embedded:";
    if (url.starts_with(embedded)) {
        const std::string_view folder = url.substr(embedded.size());
        if (folder.empty()) throw std::invalid_argument("bus URL embedded: names no folder");
        return open_embedded(std::string(folder), options, clock, metrics);
    }
    if (url.starts_with("kafka://")) {
        return open_kafka(url, options, metrics);
    }
    // The rest may hold a password: only the scheme is shown.
    throw std::invalid_argument(
        fmt::format("bus URL '{}:...' is neither embedded:DIR nor kafka://HOST:PORT",
                    url.substr(0, std::min<std::size_t>(url.find(':'), 20))));
}

}  // namespace trackops::bus
