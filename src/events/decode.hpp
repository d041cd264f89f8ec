// The decoding of events from the JSON values of messages.
#pragma once
#include <string_view>

#include "base/result.hpp"
#include "events/events.hpp"

namespace trackops::events {

// Returns the event. `type` is the topic of the message. Errc::malformed or Errc::invalid when the
// value is wrong, with every fault named; Errc::not_found for an unknown type. Unknown fields are
// ignored, because a producer may be newer than this program.
Result<Event> decode(std::string_view type, std::string_view json);

}  // namespace trackops::events
