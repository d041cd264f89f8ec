// The management plane of a service: it samples the health and the process, and serves the
// actuator.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/http/actuator_env.hpp"
#include "platform/http/edge_options.hpp"
#include "platform/http/route.hpp"
#include "platform/runtime/pump.hpp"
#include "platform/runtime/pump_threads.hpp"
#include "platform/service/application.hpp"
#include "platform/telemetry/health.hpp"
#include "platform/telemetry/process_metrics.hpp"
#include "platform/telemetry/sampled_component.hpp"

namespace trackops {
class Clock;
class Ids;
}  // namespace trackops
namespace trackops::http {
class Server;
}
namespace trackops::telemetry {
class Registry;
}

namespace trackops::service {

struct ListenAddress {
    std::string host;
    std::uint16_t port = 0;  // 0: any free port
    // Parses HOST:PORT; an IPv6 address stands in brackets. Returns nothing for any other form.
    static std::optional<ListenAddress> parse(std::string_view text);
};

struct ManagementOptions {
    // Where /actuator/* is served, and only there, to every caller. Nothing: beside the API.
    std::optional<ListenAddress> listen = {};
    // The folder of embedded data; "" when servers hold all data.
    std::string data_folder = {};
    // Says which protection the service lacks; "" when none is missing. It stands in
    // /actuator/info, as the component `access` of the health, which is UP, and as the metric
    // trackops_insecure.
    std::string access_warning = {};
    // Components of the health that the process brings, besides those of the application.
    std::vector<telemetry::Component> components = {};
    // With less free space in data_folder the service is not ready.
    std::uint64_t disk_free_min_bytes = 10U << 20;
    // Shown by /actuator/env and /actuator/info.
    std::vector<http::ShownSetting> settings = {};
    std::vector<std::pair<std::string, std::string>> libraries = {};

    // The same, with this folder where none is named.
    ManagementOptions with_data_folder(std::string folder) const {
        ManagementOptions changed = *this;
        if (changed.data_folder.empty()) changed.data_folder = std::move(folder);
        return changed;
    }
};

class Management {
public:
    // All references outlive this object and what it returns. `edge`: of the listener.
    Management(Application& application, const ManagementOptions& options,
               const http::EdgeOptions& edge, const Clock& clock, Ids& ids,
               telemetry::Registry& metrics);
    ~Management();
    Management(const Management&) = delete;
    Management& operator=(const Management&) = delete;

    // Returns the routes that the server of the API has to serve: none with a listener of its own.
    std::vector<http::Route> api_routes() const;
    // Returns one pump for each component, and one for the process.
    std::vector<runtime::NamedPump> pumps();
    // Shows the states of the pumps at /actuator/pumps. Call it before start(); `states` is
    // thread-safe.
    void show_pumps(std::function<std::vector<runtime::PumpState>()> states) {
        pump_states_ = std::move(states);
    }
    // Call it when the pumps run. Waits, at most a second, for the first answers of the components,
    // then opens the listener. Throws std::runtime_error if the address is taken.
    void start();
    // Returns the listener's port; 0 without one.
    std::uint16_t port() const;
    // From now on readiness is OUT_OF_SERVICE. Thread-safe.
    void refuse_traffic() { takes_traffic_ = false; }
    // Closes the listener. Idempotent.
    void stop();

private:
    class ProcessPump;

    std::vector<http::Route> routes() const;

    const std::string service_;
    const ManagementOptions options_;
    telemetry::Registry& metrics_;
    const std::shared_ptr<telemetry::SampledComponents> components_;
    std::vector<std::unique_ptr<runtime::Pump>> samplers_;
    std::atomic<bool> takes_traffic_ = true;
    std::function<std::vector<runtime::PumpState>()> pump_states_ = [] {
        return std::vector<runtime::PumpState>();
    };
    // The listener's own: /actuator/prometheus shows what the API's server counts.
    const std::unique_ptr<telemetry::Registry> listener_metrics_;
    std::unique_ptr<http::Server> listener_;
};

}  // namespace trackops::service
