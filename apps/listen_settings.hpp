// The settings that say where a service listens, and who may reach it there.
#pragma once
#include <array>
#include <optional>
#include <string>

#include "apps/outbound.hpp"
#include "platform/config/settings.hpp"
#include "platform/service/management.hpp"

namespace trackops::apps {

inline constexpr auto listen_settings = std::to_array<config::Setting>({
    {"address", config::Kind::text, "localhost",
     "Address to listen on: an IP address, or localhost for 127.0.0.1 and ::1. Beyond loopback it "
     "needs an access file, and TLS or --behind-proxy."},
    {"management-address", config::Kind::text, "",
     "HOST:PORT that serves /actuator/*, which then leaves the API's port and asks for no key. "
     "Beyond loopback it needs TLS or --behind-proxy."},
    {"behind-proxy", config::Kind::flag, "false",
     "Listen beyond loopback without TLS: something in front speaks TLS with the callers, and a "
     "firewall or a network policy lets no caller past it."},
    {"insecure", config::Kind::flag, "false",
     "Listen beyond loopback whatever is missing. The log, the health and a metric say so."},
    {"tls-cert-file", config::Kind::text, "",
     "File with the certificate of the service and those between it and the root (PEM). With it "
     "every port speaks HTTPS. Read again when it changes."},
    {"tls-key-file", config::Kind::text, "", "File with the key of that certificate (PEM)."},
    {"tls-client-ca-file", config::Kind::text, "",
     "File with the CAs (PEM) of the clients; then a client without a certificate of theirs gets "
     "no answer."},
    strict_setting,
});

// Returns the fault of these settings that the table cannot express; "" for none. An address beyond
// loopback is such a fault without an access file, and without TLS or behind-proxy.
std::string fault_of_listening(const config::Values& values);

// The following require that fault_of_listening() found none.

// Returns the IP address to listen on, without brackets, or localhost.
std::string listen_address(const config::Values& values);
// Returns where the management plane listens; nothing without a listener of its own.
std::optional<service::ListenAddress> management_listen_address(const config::Values& values);
// Returns a sentence that says which protection the setting insecure waives; "" if none is missing.
std::string exposure_warning(const config::Values& values);
// Returns a sentence that says who can reach the service, and what stands between.
std::string exposure(const config::Values& values);

}  // namespace trackops::apps
