// Spans and log lines as OTLP/HTTP JSON (opentelemetry-proto 1.x): lowerCamelCase names, ids in
// hex, 64-bit numbers as strings. Pure.
#pragma once
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "platform/telemetry/log.hpp"
#include "platform/telemetry/span.hpp"

namespace trackops::otlp {

// The attributes of the sender: service.name, service.version, ...
using Resource = std::vector<std::pair<std::string, std::string>>;

// Returns an ExportTraceServiceRequest.
std::string encode(const Resource& resource, std::span<const telemetry::Span> spans);
// Returns an ExportLogsServiceRequest. The fields trace_id and span_id become the record's own.
std::string encode(const Resource& resource, std::span<const telemetry::LogRecord> records);

}  // namespace trackops::otlp
