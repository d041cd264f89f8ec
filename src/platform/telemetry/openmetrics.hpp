// Metrics in the text format of OpenMetrics.
#pragma once
#include <span>
#include <string>

#include "platform/telemetry/metrics.hpp"

namespace trackops::telemetry {

// Returns the families in the format application/openmetrics-text; version=1.0.0. A counter's
// family is named without _total; a family whose name ends in a base unit names that unit. There
// are no _created series, which Prometheus would store beside each series. The names of two
// families must differ by more than _total.
std::string openmetrics_text(std::span<const MetricFamily> families);

}  // namespace trackops::telemetry
