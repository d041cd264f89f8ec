// One service as a process: its module, on the bus that the settings name.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "apps/access_settings.hpp"
#include "apps/program.hpp"
#include "apps/server_urls.hpp"
#include "apps/telemetry_export.hpp"
#include "apps/tls_settings.hpp"
#include "platform/backends/open_bus.hpp"
#include "platform/bus/bus.hpp"
#include "platform/runtime/budget.hpp"
#include "platform/runtime/system_clock.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::apps {

// Returns the options of a module that shares the budget and the certificate of its process.
// `tracer` may be null.
template <class Options>
Options with_shared(Options options, runtime::Budget& budget, const Tls& tls,
                    telemetry::Tracer* tracer) {
    options.edge.tls = tls.identity();
    if constexpr (requires { options.budget; }) {
        options.budget = &budget;
        options.tracer = tracer;
    } else {
        options.relay.budget = &budget;
        options.relay.tracer = tracer;
    }
    return options;
}

// Returns the port of a program with one service.
inline std::vector<std::uint16_t> api_port(const config::Values& values) {
    return {static_cast<std::uint16_t>(values.integer("port"))};
}

template <class Module>
class Service final : public Running {
public:
    // name: the service's name in the line that reports readiness; static. Its telemetry is that
    // of `program`, such as order-service; its sessions are those of `session_url`.
    Service(const config::Values& values, std::string_view name, std::string_view program,
            const std::string& session_url, const auto& module_options,
            const bus::Options& bus_options = {})
        : name_(name),
          budget_(memory_budget(values), metrics_),
          telemetry_(values, program, TelemetryExport::Logs::exported, clock_, metrics_),
          tls_(values, clock_, metrics_),
          access_(values, session_url, budget_, clock_, metrics_),
          bus_(backends::open_bus(url_with_password(values, "bus-url", "bus-password"), bus_options,
                                  clock_, metrics_)),
          module_(
              with_access(with_shared(module_options, budget_, tls_, telemetry_.tracer()), access_),
              clock_, ids_, *bus_, metrics_) {}
    // The relay module has no prepare(): it waits for its servers itself and reports it.
    void prepare() override {
        if constexpr (requires { module_.prepare(); }) module_.prepare();
    }
    std::vector<Port> start() override {
        module_.start();
        return {{name_, module_.port(), module_.management_port()}};
    }
    void stop(Duration drain_within) override {
        module_.stop(drain_within);
        telemetry_.stop();
    }

private:
    const std::string_view name_;
    runtime::SystemClock clock_;
    runtime::RandomIds ids_{clock_};
    telemetry::Registry metrics_;
    runtime::Budget budget_;
    TelemetryExport telemetry_;
    Tls tls_;
    Access access_;
    std::unique_ptr<bus::Bus> bus_;
    Module module_;
};

// Returns the bus options of a service that creates topics.
inline bus::Options bus_options(const config::Values& values) {
    return {.partitions = static_cast<std::int32_t>(values.integer("topic-partitions"))};
}

}  // namespace trackops::apps
