#include "platform/backends/open_bus.hpp"

#include <utility>

#include "platform/embedded_log/embedded_bus.hpp"
#include "platform/kafka/bus.hpp"
#include "platform/url/url.hpp"

namespace trackops::backends {
namespace {

constexpr url::Form form{.what = "bus URL", .example = "embedded:DIR or kafka://HOST:PORT"};

}  // namespace

std::unique_ptr<bus::Bus> open_bus(std::string_view url, const bus::Options& options,
                                   const Clock& clock, telemetry::Registry& metrics) {
    const std::string_view scheme = url::scheme_of(url);
    if (scheme == "embedded") {
        std::string folder = url::local_path(url, form);
        if (folder.empty()) url::refuse(url, form, "it names no folder");
        return bus::open_embedded(std::move(folder), options, clock, metrics);
    }
    if (scheme == "kafka") return bus::open_kafka(url, options, metrics);
    url::refuse(url, form, "it is neither embedded: nor kafka://");
}

}  // namespace trackops::backends
