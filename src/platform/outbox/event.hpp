// Events that leave with the transaction that made them true, and the claim that a message was
// handled.
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
    Uuid id;                    // identity, never order
    std::string type;           // also the topic: ORDER_CREATED
    Uuid key;                   // the aggregate: events of one key keep their order
    std::int64_t sequence = 0;  // 1, 2, 3, ... of its key, without gaps
    std::string payload;        // JSON object
    Instant occurred_at;
    std::string correlation_id;
    std::string causation_id;  // id of the message or request that caused it
    std::string traceparent;
    std::string tracestate;
};

// Queues the inserts. Of one key in the order given, and after the statement that locked the key's
// own row: position is drawn then.
void append(sql::Transaction& tx, std::span<const Event> events);

struct Claim {
    Uuid message;
    std::string consumer;  // consumer group
    auto operator<=>(const Claim&) const = default;
};
// Queues the insert of claims into processed_events (ON CONFLICT DO NOTHING); they must be sorted
// and distinct. rows(): (event_id, consumer) of those that are new.
sql::Statement& claim(sql::Transaction& tx, std::span<const Claim> claims, Instant now);
// Queues taking claims of this transaction back: what they stand for was refused and leaves no
// trace.
void delete_claims(sql::Transaction& tx, std::span<const Claim> claims);
// Queues a lookup: rows() (event_id, consumer) of those that were handled before.
sql::Statement& find_claimed(sql::Transaction& tx, std::span<const Claim> claims);

}  // namespace trackops::outbox
