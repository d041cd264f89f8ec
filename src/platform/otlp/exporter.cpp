#include "platform/otlp/exporter.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::otlp {
namespace {

bool is_taken(int status) { return status >= 200 && status < 300; }

// The statuses that the OTLP specification calls retryable, and no answer at all.
bool may_be_repeated(int status) {
    constexpr auto retryable = std::to_array<int>({0, 429, 502, 503, 504});
    return std::ranges::find(retryable, status) != retryable.end();
}

// Returns the number in {"partialSuccess":{"rejectedSpans":"3",...}}; 0 in any other answer.
std::size_t rejected_in(std::string_view body) {
    const std::size_t key = body.find("\"rejected");
    if (key == std::string_view::npos) return 0;
    const std::size_t digits = body.find_first_of("0123456789", key);
    if (digits == std::string_view::npos) return 0;
    std::size_t count = 0;
    std::from_chars(body.data() + digits, body.data() + body.size(), count);
    return count;
}

}  // namespace

ExportMeters trace_meters(telemetry::Registry& metrics) {
    const auto dropped = [&](const char* reason) -> telemetry::Counter& {
        return metrics.counter("trackops_traces_dropped_total", "Spans that were not sent.",
                               {{"reason", reason}});
    };
    return {metrics.counter("trackops_traces_exported_total", "Spans that the collector took."),
            metrics.counter("trackops_traces_export_failures_total",
                            "Posts of spans that the collector did not take."),
            dropped("refused"), dropped("unsent")};
}

ExportMeters log_meters(telemetry::Registry& metrics) {
    const auto dropped = [&](const char* reason) -> telemetry::Counter& {
        return metrics.counter("trackops_logs_dropped_total",
                               "Log lines that were not sent to the collector.",
                               {{"reason", reason}});
    };
    return {metrics.counter("trackops_logs_exported_total", "Log lines that the collector took."),
            metrics.counter("trackops_logs_export_failures_total",
                            "Posts of log lines that the collector did not take."),
            dropped("refused"), dropped("unsent")};
}

Sender::Sender(std::string_view signal, Post post, ExporterOptions options, ExportMeters meters)
    : signal_(signal),
      post_(std::move(post)),
      options_(std::move(options)),
      meters_(meters),
      backoff_(options_.backoff) {}

void Sender::begin(std::string body, std::size_t items) {
    body_ = std::move(body);
    items_ = items;
    give_up_at_ = options_.now() + options_.batch_time_max;
}

Duration Sender::until_due() const {
    if (is_idle()) return Duration::zero();
    return std::max(Duration::zero(), std::chrono::ceil<Duration>(due_at_ - options_.now()));
}

void Sender::attempt(Duration within) {
    const PostResult result = post_(body_, std::min(within, options_.post_timeout));
    if (!is_taken(result.status)) return failed(result);
    if (std::exchange(is_away_, false))
        telemetry::log(telemetry::Level::info, "otlp", "the collector takes data again",
                       {{"signal", signal_}});
    const std::size_t rejected = std::min(items_, rejected_in(result.body));
    meters_.refused.add(static_cast<double>(rejected));
    meters_.exported.add(static_cast<double>(items_ - rejected));
    backoff_.succeeded();
    leave();
}

void Sender::failed(const PostResult& result) {
    meters_.failures.add();
    if (!std::exchange(is_away_, true))
        telemetry::log(telemetry::Level::warn, "otlp", "the collector does not take data",
                       {{"signal", signal_},
                        {"status", std::to_string(result.status)},
                        {"error", result.status == 0 ? result.error : result.body.substr(0, 256)}});
    if (!may_be_repeated(result.status)) {
        meters_.refused.add(static_cast<double>(items_));
        return leave();
    }
    const Duration wait = std::max(backoff_.failed(options_.chance->draw()), result.retry_after);
    due_at_ = options_.now() + wait;
    if (due_at_ >= give_up_at_) give_up();
}

void Sender::give_up() {
    meters_.unsent.add(static_cast<double>(items_));
    leave();
}

void Sender::leave() {
    std::string().swap(body_);  // frees it
    items_ = 0;
}

}  // namespace trackops::otlp
