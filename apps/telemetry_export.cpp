#include "apps/telemetry_export.hpp"

#include <chrono>
#include <optional>
#include <vector>

#include "apps/telemetry_settings.hpp"
#include "platform/otlp/exporter.hpp"
#include "platform/runtime/pump_threads.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"
#include "platform/telemetry/tracer.hpp"

namespace trackops::apps {
namespace {

constexpr Duration last_post_within = std::chrono::seconds(1);

using SpanExporter = otlp::Exporter<telemetry::Span>;
using LogExporter = otlp::Exporter<telemetry::LogRecord>;
using LogQueue = telemetry::ExportQueue<telemetry::LogRecord>;

}  // namespace

struct TelemetryExport::State {
    explicit State(telemetry::Registry& metrics) : threads(metrics) {}

    std::unique_ptr<telemetry::Tracer> tracer;
    std::unique_ptr<SpanExporter> spans;
    std::shared_ptr<LogQueue> log_queue;
    std::unique_ptr<LogExporter> logs;
    runtime::PumpThreads threads;
    bool is_stopped = false;
};

TelemetryExport::TelemetryExport(const config::Values& values, std::string_view service, Logs logs,
                                 const Clock& clock, telemetry::Registry& metrics)
    : state_(std::make_unique<State>(metrics)) {
    State& state = *state_;
    const otlp::Resource from = resource(values, service);
    const otlp::ExporterOptions options = exporter_options(values);
    if (exports_traces(values)) {
        state.tracer = std::make_unique<telemetry::Tracer>(tracer_options(values), clock, metrics);
        state.spans = std::make_unique<SpanExporter>(
            state.tracer->queue(),
            [from](const std::vector<telemetry::Span>& batch) { return otlp::encode(from, batch); },
            otlp::Sender("traces", post_of_traces(values), options, otlp::trace_meters(metrics)),
            options);
        state.threads.add("traces", *state.spans);
    }
    if (logs == Logs::exported && exports_logs(values)) {
        state.log_queue = std::make_shared<LogQueue>(queue_limits(values));
        state.logs = std::make_unique<LogExporter>(
            *state.log_queue,
            [from](const std::vector<telemetry::LogRecord>& batch) {
                return otlp::encode(from, batch);
            },
            otlp::Sender("logs", post_of_logs(values), options, otlp::log_meters(metrics)),
            options);
        state.threads.add("logs", *state.logs);
        telemetry::export_log(
            {state.log_queue, &metrics.counter("trackops_logs_dropped_total",
                                               "Log lines that were not sent to the collector.",
                                               {{"reason", "queue_full"}})});
    }
}

TelemetryExport::~TelemetryExport() { stop(); }

telemetry::Tracer* TelemetryExport::tracer() const { return state_->tracer.get(); }

void TelemetryExport::stop() {
    State& state = *state_;
    if (std::exchange(state.is_stopped, true)) return;
    if (state.logs) telemetry::export_log({});
    if (state.spans) state.spans->wake();
    if (state.logs) state.logs->wake();
    state.threads.stop();
    if (state.spans) state.spans->drain(last_post_within);
    if (state.logs) state.logs->drain(last_post_within);
}

}  // namespace trackops::apps
