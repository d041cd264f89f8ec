// The outbox: events that a transaction stores together with its changes. The inbox: claims that a
// message was handled.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/uuid.hpp"
#include "platform/sql/database.hpp"

namespace trackops::outbox {

struct Event {
    Uuid id;                    // identifies the event; says nothing about order
    std::string type;           // also the topic: ORDER_CREATED
    Uuid key;                   // of the aggregate; events of one key keep their order
    std::int64_t sequence = 0;  // 1, 2, 3, ... of its key, without gaps
    std::string payload;        // JSON object
    Instant occurred_at;
    std::string correlation_id;
    std::string causation_id;  // id of the message or request that caused it
    std::string traceparent;
    std::string tracestate;
};

// Queues the inserts of events. The events of one key must be in order and must follow the
// statement that locked the row of their aggregate, because the insert draws their positions.
void append(sql::Transaction& tx, std::span<const Event> events);

struct Claim {
    Uuid message;
    std::string consumer;  // consumer group
    auto operator<=>(const Claim&) const = default;
};
// Queues the insert of claims into processed_events (ON CONFLICT DO NOTHING). The claims must be
// sorted and distinct. rows() returns (event_id, consumer) of the new ones.
sql::Statement& claim(sql::Transaction& tx, std::span<const Claim> claims, Instant now);
// Queues the deletion of claims that this transaction made: the command was refused and leaves no
// trace.
void delete_claims(sql::Transaction& tx, std::span<const Claim> claims);
// Queues a lookup. rows() returns (event_id, consumer) of the claims that exist.
sql::Statement& find_claimed(sql::Transaction& tx, std::span<const Claim> claims);

}  // namespace trackops::outbox
