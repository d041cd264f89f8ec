// Who a request is in logs and traces: X-Correlation-ID and W3C trace context. Pure.
#pragma once
#include <string_view>

#include "base/uuid.hpp"
#include "platform/http/message.hpp"

namespace trackops::http {

// Fills correlation_id, traceparent and tracestate from the headers. What is missing, given twice
// or not as it should be is made from `fresh` and never echoed.
void set_trace_context(Request& request, const Uuid& fresh);

}  // namespace trackops::http
