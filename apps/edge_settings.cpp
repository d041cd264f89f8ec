#include "apps/edge_settings.hpp"

#include "platform/http/origin.hpp"

namespace trackops::apps {

std::string fault_of_edge(const config::Values& values) {
    const auto names = http::parse_host_names(values.text("public-host"));
    if (!names) return "public-host: " + names.error().detail;
    return {};
}

http::EdgeOptions edge_options(const config::Values& values) {
    return {.public_hosts = http::parse_host_names(values.text("public-host")).value()};
}

}  // namespace trackops::apps
