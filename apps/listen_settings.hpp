// The settings that say where a service listens, and who may reach it there.
#pragma once
#include <array>
#include <optional>
#include <string>

#include "platform/config/settings.hpp"
#include "platform/service/management.hpp"

namespace trackops::apps {

inline constexpr auto listen_settings = std::to_array<config::Setting>({
    {"address", config::Kind::text, "127.0.0.1",
     "Address to listen on: an IP address or localhost. Beyond loopback it needs --behind-proxy."},
    {"management-address", config::Kind::text, "",
     "HOST:PORT that serves /actuator/*, which then leaves the API's port. Beyond loopback it "
     "needs --behind-proxy."},
    {"behind-proxy", config::Kind::flag, "false",
     "Listen beyond loopback although there is no TLS yet: a proxy, a firewall or a network "
     "policy lets only trusted callers through."},
});

// Returns the fault of these settings that the table cannot express; "" for none. Without
// behind-proxy an address beyond loopback is such a fault.
std::string fault_of_listening(const config::Values& values);

// The following require that fault_of_listening() found none.

// Returns the IP address to listen on, without brackets.
std::string listen_address(const config::Values& values);
// Returns where the management plane listens; nothing without a listener of its own.
std::optional<service::ListenAddress> management_listen_address(const config::Values& values);
// Returns a sentence that says who can reach the service; "" if only this machine can.
std::string exposure_warning(const config::Values& values);

}  // namespace trackops::apps
