// The log of answered requests.
#pragma once
#include "platform/http/conversation.hpp"
#include "platform/telemetry/log_gate.hpp"

namespace trackops::http {

// Each request is a line at the level debug. At info, refusals (problem+json answers) are lines,
// too: in a flood one a second and code, with the number of those that were held back. A line has
// the trace's id, which is the traceId of the answer, and no data of a person: the pattern of the
// route in place of the path. Only the I/O thread uses it.
class AccessLog {
public:
    void observe(const Conversation::Access& access);
    // Tells what was held back in the past seconds. Called about once a second.
    void sweep(Conversation::Time now);

private:
    telemetry::LogGate gate_;
};

}  // namespace trackops::http
