// The correlation of a request in logs and traces: X-Correlation-ID and W3C trace context. Pure.
#pragma once
#include <string_view>

#include "base/uuid.hpp"
#include "platform/http/message.hpp"

namespace trackops::telemetry {
class Tracer;
}

namespace trackops::http {

// Fills the correlation id and the trace of the context from the headers. A correlation id or
// traceparent that is missing, repeated or malformed is replaced by one made from `fresh` and never
// echoed. Several tracestate headers are joined; tracestate is dropped if it is malformed or there
// is no valid traceparent. `tracer` decides whether the trace is sampled; without one the flag of
// the client stays, and a trace that begins here is not sampled.
void set_trace_context(Request& request, const Uuid& fresh, const telemetry::Tracer* tracer);

}  // namespace trackops::http
