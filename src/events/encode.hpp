// The encoding of events as the JSON values of messages.
#pragma once
#include <string>
#include <string_view>

#include "events/events.hpp"

namespace trackops::events {

// Returns the event's type, which is also its topic.
std::string_view type_of(const Event& event);
// Returns the JSON value of the message.
std::string encode(const Event& event);

}  // namespace trackops::events
