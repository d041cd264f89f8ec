// One service as a process: its module, on the bus that the settings name.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "apps/program.hpp"
#include "platform/backends/open_bus.hpp"
#include "platform/bus/bus.hpp"
#include "platform/runtime/system_clock.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::apps {

template <class Module>
class Service final : public Running {
public:
    // name: what the port is called in the line that says that it is ready.
    Service(const config::Values& values, std::string name, const auto& module_options,
            const bus::Options& bus_options = {})
        : name_(std::move(name)),
          bus_(backends::open_bus(values.text("bus-url"), bus_options, clock_, metrics_)),
          module_(module_options, clock_, ids_, *bus_, metrics_) {}
    // The relay has nothing to prepare: it waits for its servers by itself and says so.
    void prepare() override {
        if constexpr (requires { module_.prepare(); }) module_.prepare();
    }
    std::string start() override {
        module_.start();
        return fmt::format(R"({{"{}":{}}})", name_, module_.port());
    }
    void stop(Duration drain_within) override { module_.stop(drain_within); }

private:
    const std::string name_;
    runtime::SystemClock clock_;
    runtime::RandomIds ids_{clock_};
    telemetry::Registry metrics_;
    std::unique_ptr<bus::Bus> bus_;
    Module module_;
};

// Of a service that makes topics.
inline bus::Options bus_options(const config::Values& values) {
    return {.partitions = static_cast<std::int32_t>(values.integer("topic-partitions"))};
}

}  // namespace trackops::apps
