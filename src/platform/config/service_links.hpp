// Tells our settings in the environment from the variables that Kubernetes sets for each Service.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trackops::config {

// Kubernetes describes each Service of a namespace to each container of it. For a Service called
// "trackops-orders" these are TRACKOPS_ORDERS_SERVICE_HOST, _SERVICE_PORT, _SERVICE_PORT_NAME,
// _PORT, _PORT_8080_TCP and _PORT_8080_TCP_PROTO, _PORT and _ADDR.
class ServiceLinks {
public:
    // `environment` holds NAME=VALUE strings. A Service is recognised by its pair _SERVICE_HOST and
    // _SERVICE_PORT, which Kubernetes always sets together.
    explicit ServiceLinks(std::span<const std::string> environment);

    // Returns whether Kubernetes made this variable: its name belongs to a recognised Service, and
    // its value has the form that Kubernetes gives to it.
    bool contains(std::string_view name, std::string_view value) const;

private:
    std::vector<std::string> services_;  // the beginnings of their variables: TRACKOPS_ORDERS
};

}  // namespace trackops::config
