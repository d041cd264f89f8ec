#include "apps/listen_settings.hpp"

#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/tls_settings.hpp"
#include "platform/http/client_address.hpp"

namespace trackops::apps {
namespace {

// Returns the IP address that the text means, without brackets; nothing if it means none.
std::optional<std::string> ip_of(std::string_view text) {
    if (text == "localhost") return "127.0.0.1";
    const bool is_bracketed = text.starts_with('[') && text.ends_with(']') && text.contains(':');
    std::string ip(is_bracketed ? text.substr(1, text.size() - 2) : text);
    if (!http::parse_client_address(ip)) return std::nullopt;
    return ip;
}

struct Listener {
    std::string_view setting;
    std::string ip;
    bool asks_for_keys;  // the management plane asks for none
};

bool is_exposed(const Listener& listener) {
    return !http::is_loopback(http::parse_client_address(listener.ip).value());
}

std::vector<Listener> listeners(const config::Values& values) {
    std::vector<Listener> all = {{"address", ip_of(values.text("address")).value(), true}};
    if (const auto listen = management_listen_address(values))
        all.push_back({"management-address", listen->host, false});
    return all;
}

std::string fault_of_host(std::string_view setting, std::string_view host) {
    if (ip_of(host)) return {};
    return fmt::format("{}: '{}' is neither an IP address nor localhost", setting, host);
}

// Returns what a listener beyond loopback lacks, as "SETTING: IP ...".
std::vector<std::string> missing_protection(const config::Values& values) {
    const bool is_covered = has_tls(values) || values.flag("behind-proxy");
    std::vector<std::string> missing;
    for (const Listener& listener : listeners(values)) {
        if (!is_exposed(listener)) continue;
        if (listener.asks_for_keys && values.text("access-file").empty()) {
            missing.push_back(fmt::format(
                "{}: {} can be reached from other machines without a login, so everybody there may "
                "read and change everything: listen on 127.0.0.1, or give --access-file",
                listener.setting, listener.ip));
        }
        if (!is_covered) {
            missing.push_back(fmt::format(
                "{}: {} can be reached from other machines without TLS, so everybody on the way "
                "reads the keys and the answers: listen on 127.0.0.1, or give --tls-cert-file, or "
                "--behind-proxy if something in front speaks TLS",
                listener.setting, listener.ip));
        }
    }
    return missing;
}

}  // namespace

std::string fault_of_listening(const config::Values& values) {
    std::string fault = fault_of_host("address", values.text("address"));
    const std::string& management = values.text("management-address");
    if (fault.empty() && !management.empty()) {
        const auto listen = service::ListenAddress::parse(management);
        if (!listen) return "management-address must be HOST:PORT";
        fault = fault_of_host("management-address", listen->host);
    }
    if (fault.empty()) fault = fault_of_tls(values);
    if (!fault.empty() || values.flag("insecure")) return fault;
    return fmt::format("{}", fmt::join(missing_protection(values), "; "));
}

std::string listen_address(const config::Values& values) {
    const std::string& address = values.text("address");
    return address == "localhost" ? address : ip_of(address).value();
}

std::optional<service::ListenAddress> management_listen_address(const config::Values& values) {
    auto listen = service::ListenAddress::parse(values.text("management-address"));
    if (listen) listen->host = ip_of(listen->host).value();
    return listen;
}

std::string exposure_warning(const config::Values& values) {
    const auto missing = missing_protection(values);
    if (missing.empty()) return {};
    return fmt::format("INSECURE (--insecure): {}", fmt::join(missing, "; "));
}

std::string exposure(const config::Values& values) {
    std::vector<std::string> reachable;
    for (const Listener& listener : listeners(values)) {
        if (is_exposed(listener)) reachable.push_back(listener.ip);
    }
    if (reachable.empty()) return "only this machine can reach the service";
    const char* cover = values.flag("behind-proxy") ? "something in front speaks TLS" : "no TLS";
    if (has_tls(values))
        cover = values.text("tls-client-ca-file").empty() ? "TLS" : "TLS with client certificates";
    return fmt::format("other machines can reach {}: {}, {}", fmt::join(reachable, " and "),
                       values.text("access-file").empty() ? "no login" : "keys", cover);
}

}  // namespace trackops::apps
