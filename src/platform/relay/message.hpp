// An event as a message on the bus.
#pragma once
#include <string_view>

#include "platform/bus/message.hpp"
#include "platform/outbox/event.hpp"

namespace trackops::relay {

// Returns the event as a CloudEvents 1.0 message in Kafka's binary mode: the topic is the type, the
// key is the aggregate's id, the attributes are ce_* headers. Pure.
bus::OutgoingMessage to_message(const outbox::Event& event, std::string_view source_name);

}  // namespace trackops::relay
