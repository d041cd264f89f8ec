#include "platform/relay/message.hpp"

namespace trackops::relay {

bus::OutgoingMessage to_message(const outbox::Event& event, std::string_view source_name) {
    bus::OutgoingMessage message{event.type, event.key.text(), event.payload, {}};
    message.headers = {{"ce_specversion", "1.0"},
                       {"ce_id", event.id.text()},
                       {"ce_source", std::string(source_name)},
                       {"ce_type", event.type},
                       {"ce_time", event.occurred_at.text()},
                       {"ce_subject", message.key},
                       {"ce_sequence", std::to_string(event.sequence)},
                       {"content-type", "application/json"}};
    // CloudEvents has no empty attributes: an attribute without a value is absent.
    const auto add = [&message](const char* name, const std::string& value) {
        if (!value.empty()) message.headers.push_back({name, value});
    };
    add("ce_correlationid", event.correlation_id);
    add("ce_causationid", event.causation_id);
    add("traceparent", event.traceparent);
    add("tracestate", event.tracestate);
    return message;
}

}  // namespace trackops::relay
