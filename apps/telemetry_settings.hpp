// The settings of traces and exported logs that every service has. Names, meanings and defaults are
// those of the OpenTelemetry specification, except where the help says otherwise.
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "platform/config/settings.hpp"
#include "platform/otlp/encode.hpp"
#include "platform/otlp/exporter.hpp"
#include "platform/otlp/post.hpp"
#include "platform/telemetry/tracer.hpp"

namespace trackops::apps {

inline constexpr auto telemetry_settings = std::to_array<config::Setting>({
    {"otel-exporter-otlp-endpoint", config::Kind::text, "",
     "http://HOST:PORT of an OpenTelemetry collector (OTLP over HTTP). Without it nothing is "
     "sent."},
    {"otel-exporter-otlp-traces-endpoint", config::Kind::text, "",
     "The whole URL for traces; default: the endpoint with /v1/traces."},
    {"otel-exporter-otlp-logs-endpoint", config::Kind::text, "",
     "The whole URL for logs; default: the endpoint with /v1/logs."},
    {.name = "otel-exporter-otlp-headers",
     .kind = config::Kind::text,
     .default_value = "",
     .help = "Headers of each request to the collector: name=value,name=value.",
     .secret = true},
    {"otel-exporter-otlp-protocol", config::Kind::text, "http/json",
     "http/json is the only one that is spoken here."},
    {"otel-exporter-otlp-timeout", config::Kind::integer, "10000",
     "Milliseconds that one request to the collector may take.", 1, 15'000},
    {"otel-traces-exporter", config::Kind::text, "otlp", "otlp, or none: no traces."},
    {"otel-logs-exporter", config::Kind::text, "none",
     "otlp: log lines go to the collector, too; none: only to standard error."},
    {"otel-traces-sampler", config::Kind::text, "parentbased_traceidratio",
     "always_on, always_off, traceidratio, or one of them behind parentbased_."},
    {"otel-traces-sampler-arg", config::Kind::text, "0.01",
     "The share of the traces that begin here and are recorded, 0 to 1."},
    {"otel-bsp-schedule-delay", config::Kind::integer, "5000",
     "Milliseconds that a span or a line waits for others at most.", 1, 3'600'000},
    {"otel-bsp-max-queue-size", config::Kind::integer, "2048",
     "Spans, and lines, that may wait; further ones are dropped and counted.", 1, 1'000'000},
    {"otel-bsp-max-export-batch-size", config::Kind::integer, "512",
     "Spans, or lines, in one request to the collector.", 1, 100'000},
    {"otel-bsp-export-timeout", config::Kind::integer, "30000",
     "Milliseconds after which a batch that the collector does not take is dropped.", 1, 3'600'000},
    {"otel-service-name", config::Kind::text, "",
     "The service.name of traces and logs; default: the program's name."},
    {"otel-resource-attributes", config::Kind::text, "",
     "Further attributes of the service: name=value,name=value."},
    {"otel-sdk-disabled", config::Kind::text, "false", "true: neither traces nor logs are sent."},
    {"trace-slow", config::Kind::duration, "1s",
     "A request of at least this time is sent, marked as partial, though its trace is not "
     "recorded.",
     1, 3600L * 1000},
});

// Returns the fault of these settings that the table cannot express; "" for none.
std::string fault_of_telemetry(const config::Values& values);

// The functions below require that fault_of_telemetry() found none.

// Whether spans, or log lines, are sent.
bool exports_traces(const config::Values& values);
bool exports_logs(const config::Values& values);
telemetry::TracerOptions tracer_options(const config::Values& values);
telemetry::ExportQueueLimits queue_limits(const config::Values& values);
otlp::ExporterOptions exporter_options(const config::Values& values);
// `service` is the service's own name, such as order-service.
otlp::Resource resource(const config::Values& values, std::string_view service);
otlp::Post post_of_traces(const config::Values& values);
otlp::Post post_of_logs(const config::Values& values);

}  // namespace trackops::apps
