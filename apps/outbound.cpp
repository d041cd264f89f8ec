#include "apps/outbound.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "platform/http/client_address.hpp"
#include "platform/url/url.hpp"

namespace trackops::apps {
namespace {

// How the URL of a kind of server says that a certificate is checked.
struct Kind {
    url::Form form;
    std::string_view parameter;  // "": it cannot say so
    std::string_view value;
};
constexpr auto kinds = std::to_array<Kind>({
    {{.what = "",
      .example = "",
      .scheme = "postgres",
      .other_scheme = "postgresql",
      .takes_socket_folders = true},
     "sslmode",
     "verify-full"},
    {{.what = "", .example = "", .scheme = "kafka"}, "tls", "true"},
    {{.what = "", .example = "", .scheme = "redis"}, "", ""},
    {{.what = "", .example = "", .scheme = "http"}, "", ""},
});

bool is_on_this_machine(const std::string& host) {
    if (host.empty() || host.starts_with('/') || host == "localhost") return true;
    const auto address = http::parse_client_address(host);
    return address && http::is_loopback(*address);
}

std::string parameter_of(const url::Url& url, std::string_view name) {
    const auto found = std::ranges::find(url.parameters, name, &url::Parameter::name);
    return found == url.parameters.end() ? std::string() : found->value;
}

// Returns why the link is unprotected; nothing if it is protected, or is none.
std::optional<std::string> weakness(std::string_view text) {
    if (text.starts_with("jdbc:")) text.remove_prefix(5);
    const auto scheme = url::scheme_of(text);
    const auto* const kind = std::ranges::find_if(kinds, [&](const Kind& one) {
        return one.form.scheme == scheme || one.form.other_scheme == scheme;
    });
    if (scheme.empty() || kind == kinds.end()) return std::nullopt;
    try {
        const url::Url url = url::parse_url(text, kind->form);
        const bool is_local = std::ranges::all_of(
            url.hosts, [](const url::Host& host) { return is_on_this_machine(host.name); });
        if (is_local && is_on_this_machine(parameter_of(url, "host"))) return std::nullopt;
        if (kind->parameter.empty())
            return fmt::format(
                "{}:// has no TLS here: put the server on this machine or a tunnel "
                "in front of it",
                scheme);
        if (parameter_of(url, kind->parameter) == kind->value) return std::nullopt;
        return fmt::format("add {}={} to the URL", kind->parameter, kind->value);
    } catch (const std::invalid_argument&) {
        return std::nullopt;
    }
}

}  // namespace

std::vector<std::string> unverified_links(const config::Values& values) {
    std::vector<std::string> links;
    for (const auto& [name, given] : values.values) {
        if (!name.ends_with("-url") && !name.ends_with("-endpoint") && !name.ends_with("-database"))
            continue;
        if (const auto why = weakness(given.value)) {
            links.push_back(fmt::format(
                "{} names a server on another machine, and nothing proves that it is the right one "
                "or hides what is said: {}",
                name, *why));
        }
    }
    return links;
}

std::string fault_of_links(const config::Values& values) {
    if (!values.flag("strict")) return {};
    return fmt::format("{}", fmt::join(unverified_links(values), "; "));
}

}  // namespace trackops::apps
