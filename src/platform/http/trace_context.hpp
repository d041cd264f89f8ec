// The correlation of a request in logs and traces: X-Correlation-ID and W3C trace context. Pure.
#pragma once
#include <string_view>

#include "base/uuid.hpp"
#include "platform/http/message.hpp"

namespace trackops::http {

// Fills the correlation id and the trace of the context from the headers. A correlation id or
// traceparent that is missing, repeated or malformed is replaced by one made from `fresh` and never
// echoed. Several tracestate headers are joined; tracestate is dropped if it is malformed or there
// is no valid traceparent.
void set_trace_context(Request& request, const Uuid& fresh);

}  // namespace trackops::http
