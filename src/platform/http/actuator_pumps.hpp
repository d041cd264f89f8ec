// The threads of the background pumps as JSON.
#pragma once
#include <span>

#include "platform/http/message.hpp"
#include "platform/runtime/pump_threads.hpp"

namespace trackops::http {

// Answers {"pumps":[...]} with one object for each thread: its name, state (RUNNING or WAITING),
// runs, done, failures, lastError when there was one, and the times lastStartMsAgo, lastTookMs and
// nextInMs. Times are in milliseconds with a fraction.
Response all_pumps(const Request& request, std::span<const runtime::PumpState> pumps);

}  // namespace trackops::http
