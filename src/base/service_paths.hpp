// The first parts of the paths of each service, so that a request to the wrong port can be told the
// right one.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace trackops {

struct ServicePath {
    std::string_view path;  // and all below it; the longer one of two stands first
    std::string_view service;
    std::uint16_t default_port;
};
// tests/blackbox/test_mistakes.py holds it to the routes that the programs have.
inline constexpr std::array service_paths = {
    ServicePath{"/api/orders", "order-service", 8080},
    ServicePath{"/api/sagas", "order-service", 8080},
    ServicePath{"/api/customers", "order-service", 8080},
    ServicePath{"/api/sessions", "order-service", 8080},
    ServicePath{"/api/inventory/items", "inventory-service", 8081},
    ServicePath{"/api/inventory/reservations", "inventory-service", 8081},
    ServicePath{"/api/inventory", "inventory-service", 8081},
    ServicePath{"/api/relay/events", "event-relay-service", 8082},
    ServicePath{"/api/relay", "event-relay-service", 8082},
};

}  // namespace trackops
