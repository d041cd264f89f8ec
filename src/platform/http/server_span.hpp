// The span of an answered request.
#pragma once
#include "platform/http/conversation.hpp"

namespace trackops::telemetry {
class Tracer;
}

namespace trackops::http {

// Ends the span of the request now, with the names of OpenTelemetry's HTTP conventions. A request
// of an unsampled trace has one only if it was slow or was answered 5xx. Without tracer: nothing.
void end_server_span(telemetry::Tracer* tracer, const Conversation::Access& access);

}  // namespace trackops::http
