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

// Answers {"names":[...]}: the names in /actuator/prometheus, of a histogram without _count and the
// like.
Response metric_names(const Request& request, telemetry::Registry& metrics);

// Answers the metric that the parameter {name} names, summed over the series that have all tags of
// the query (?tag=uri:/api/orders&tag=method:POST), with the values of the other tags. Micrometer's
// spelling is understood: dots stand for underscores, and the endings _seconds, _bytes and _total
// may be left out. 404: there is no such metric, or none of its series has these tags.
Response one_metric(const Request& request, telemetry::Registry& metrics);

}  // namespace trackops::http
