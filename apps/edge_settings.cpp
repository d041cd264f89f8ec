#include "apps/edge_settings.hpp"

#include <fmt/format.h>

#include "platform/http/client_address.hpp"
#include "platform/http/cors.hpp"
#include "platform/http/origin.hpp"

namespace trackops::apps {
namespace {

// Files that are not connections of clients: links to databases, brokers and caches, logs, and
// connections that are being refused. A generous figure.
constexpr std::uint64_t other_files = 256;

}  // namespace

std::string fault_of_edge(const config::Values& values) {
    const auto names = http::parse_host_names(values.text("public-host"));
    if (!names) return "public-host: " + names.error().detail;
    const auto origins = http::parse_origins(values.text("cors-origin"));
    if (!origins) return "cors-origin: " + origins.error().detail;
    const auto proxies = http::parse_networks(values.text("trusted-proxy"));
    if (!proxies) return "trusted-proxy: " + proxies.error().detail;
    return {};
}

std::string open_files_warning(const config::Values& values, std::uint64_t open_files_max) {
    const auto needed =
        static_cast<std::uint64_t>(values.integer("http-connections")) + other_files;
    if (open_files_max >= needed) return {};
    return fmt::format(
        "the process may open {} files, but http-connections and the links to other servers need "
        "{}: "
        "raise the hard limit (ulimit -Hn, LimitNOFILE) or lower http-connections",
        open_files_max, needed);
}

http::EdgeOptions edge_options(const config::Values& values) {
    const auto number = [&](std::string_view name) {
        return static_cast<std::size_t>(values.integer(name));
    };
    const auto rate = [&](std::string_view name) -> std::uint32_t {
        const bool is_given = values.values.find(name)->second.source != "default";
        if (!is_given && values.text("access-file").empty()) return 0;
        return static_cast<std::uint32_t>(values.integer(name));
    };
    return {.public_hosts = http::parse_host_names(values.text("public-host")).value(),
            .connections_max = number("http-connections"),
            .connections_per_address_max = number("http-connections-per-address"),
            .idle_timeout = values.duration("http-idle-timeout"),
            .query_workers = number("http-query-workers"),
            .bulk_workers = number("http-bulk-workers"),
            .bulk_requests_max = number("http-bulk-requests"),
            .pipelined_max = number("http-pipelined"),
            .unsent_bytes_max = number("http-unsent-answers") * 1024,
            .upload_bytes_per_second_min = number("http-upload-rate-min"),
            .answer_timeout = values.duration("http-deadline"),
            .rate_limits = {.of_principal = rate("rate-limit"),
                            .of_address = rate("rate-limit-strangers")},
            .cors_origins = http::parse_origins(values.text("cors-origin")).value(),
            .trusted_proxies = http::parse_networks(values.text("trusted-proxy")).value()};
}

}  // namespace trackops::apps
