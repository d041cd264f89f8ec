#include "apps/telemetry_settings.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <unistd.h>

#include <fmt/format.h>

#include "base/ascii_case.hpp"
#include "base/version.hpp"
#include "platform/url/url.hpp"

namespace trackops::apps {
namespace {

Duration milliseconds(const config::Values& values, std::string_view name) {
    return std::chrono::milliseconds(values.integer(name));
}

// The specification: "true" in any case is true, everything else is false.
bool is_disabled(const config::Values& values) {
    return equals_in_any_case(values.text("otel-sdk-disabled"), "true");
}

bool has_endpoint(const config::Values& values, std::string_view of_signal) {
    return !values.text("otel-exporter-otlp-endpoint").empty() || !values.text(of_signal).empty();
}

otlp::Endpoint endpoint(const config::Values& values, std::string_view of_signal,
                        std::string_view path) {
    const std::string& whole = values.text(of_signal);
    return whole.empty() ? otlp::parse_endpoint(values.text("otel-exporter-otlp-endpoint"), path)
                         : otlp::parse_endpoint(whole);
}

otlp::Endpoint traces_endpoint(const config::Values& values) {
    return endpoint(values, "otel-exporter-otlp-traces-endpoint", "v1/traces");
}

otlp::Endpoint logs_endpoint(const config::Values& values) {
    return endpoint(values, "otel-exporter-otlp-logs-endpoint", "v1/logs");
}

otlp::Post post(const config::Values& values, otlp::Endpoint to) {
    return otlp::make_http_post(std::move(to),
                                otlp::parse_headers(values.text("otel-exporter-otlp-headers")));
}

std::string host_name() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

}  // namespace

std::string fault_of_telemetry(const config::Values& values) {
    for (const auto* name : {"otel-traces-exporter", "otel-logs-exporter"}) {
        const std::string& exporter = values.text(name);
        if (exporter != "otlp" && exporter != "none")
            return fmt::format("{} must be otlp or none", name);
    }
    if (is_disabled(values)) return {};
    if (!telemetry::parse_sampling(values.text("otel-traces-sampler"),
                                   values.text("otel-traces-sampler-arg")))
        return "otel-traces-sampler must be always_on, always_off or traceidratio, or one of them "
               "behind parentbased_, and otel-traces-sampler-arg a number from 0 to 1";
    const bool sends = exports_traces(values) || exports_logs(values);
    if (sends && values.text("otel-exporter-otlp-protocol") != "http/json")
        return "otel-exporter-otlp-protocol must be http/json: no other one is spoken here, and "
               "every collector's OTLP/HTTP receiver takes it";
    try {
        if (exports_traces(values)) (void)traces_endpoint(values);
        if (exports_logs(values)) (void)logs_endpoint(values);
        (void)otlp::parse_headers(values.text("otel-exporter-otlp-headers"));
        (void)otlp::parse_headers(values.text("otel-resource-attributes"));
    } catch (const std::invalid_argument& fault) {
        return fault.what();
    }
    return {};
}

bool exports_traces(const config::Values& values) {
    return !is_disabled(values) && values.text("otel-traces-exporter") == "otlp" &&
           has_endpoint(values, "otel-exporter-otlp-traces-endpoint");
}

bool exports_logs(const config::Values& values) {
    return !is_disabled(values) && values.text("otel-logs-exporter") == "otlp" &&
           has_endpoint(values, "otel-exporter-otlp-logs-endpoint");
}

telemetry::ExportQueueLimits queue_limits(const config::Values& values) {
    const auto items = static_cast<std::size_t>(values.integer("otel-bsp-max-queue-size"));
    const auto batch = static_cast<std::size_t>(values.integer("otel-bsp-max-export-batch-size"));
    return {.items_max = items, .batch_max = std::min(items, batch)};
}

telemetry::TracerOptions tracer_options(const config::Values& values) {
    telemetry::TracerOptions options;
    options.sampling = telemetry::parse_sampling(values.text("otel-traces-sampler"),
                                                 values.text("otel-traces-sampler-arg"))
                           .value();
    options.slow = values.duration("trace-slow");
    const bool has_bus = values.values.contains("bus-url");
    if (!has_bus || url::scheme_of(values.text("bus-url")) != "kafka")
        options.messaging_system = "trackops_embedded_log";
    options.queue = queue_limits(values);
    return options;
}

otlp::ExporterOptions exporter_options(const config::Values& values) {
    return {.schedule_delay = milliseconds(values, "otel-bsp-schedule-delay"),
            .post_timeout = milliseconds(values, "otel-exporter-otlp-timeout"),
            .batch_time_max = milliseconds(values, "otel-bsp-export-timeout")};
}

otlp::Resource resource(const config::Values& values, std::string_view service) {
    const std::string& name = values.text("otel-service-name");
    otlp::Resource all = {{"service.name", name.empty() ? std::string(service) : name},
                          {"service.namespace", "trackops"},
                          {"service.version", std::string(version)},
                          {"host.name", host_name()},
                          {"process.pid", std::to_string(::getpid())},
                          {"telemetry.sdk.name", "trackops"},
                          {"telemetry.sdk.language", "cpp"},
                          {"telemetry.sdk.version", std::string(version)}};
    for (const auto& [key, value] : otlp::parse_headers(values.text("otel-resource-attributes"))) {
        const auto known =
            std::ranges::find(all, key, [](const auto& attribute) { return attribute.first; });
        // OTEL_SERVICE_NAME wins over a service.name among the attributes.
        if (known == all.end()) {
            all.emplace_back(key, value.reveal());
        } else if (key != "service.name" || name.empty()) {
            known->second = value.reveal();
        }
    }
    return all;
}

otlp::Post post_of_traces(const config::Values& values) {
    return post(values, traces_endpoint(values));
}

otlp::Post post_of_logs(const config::Values& values) {
    return post(values, logs_endpoint(values));
}

}  // namespace trackops::apps
