// Metrics as JSON, in the shape of Spring Boot's /actuator/metrics.
#pragma once
#include <string_view>

#include "platform/http/message.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::http {

// Returns Spring's own media type unless the client accepts plain JSON and not Spring's.
std::string_view actuator_type(const Request& request);

// Answers {"names":[...]}: the names of all metrics as Micrometer writes them: http.server.requests
// for http_server_requests_seconds.
Response metric_names(const Request& request, telemetry::Registry& metrics);

// Answers the metric that the parameter {name} names, summed over the series that have all tags of
// the query (?tag=uri:/api/orders&tag=method:POST), with the values of the other tags. The name may
// also be that of /actuator/prometheus. 404: there is no such metric, or none of its series has
// these tags.
Response one_metric(const Request& request, telemetry::Registry& metrics);

// Answers all metrics: as OpenMetrics with exemplars when the client accepts that and does not like
// plain text more, otherwise in Prometheus' text format.
Response all_metrics(const Request& request, telemetry::Registry& metrics);

// Whether the value of an Accept header names application/openmetrics-text, with a quality that is
// above zero and not below that of text/plain.
bool prefers_openmetrics(std::string_view accept);

}  // namespace trackops::http
