// What a request carries beside its content: the key that makes it safe to repeat, and where it
// came from.
#pragma once
#include <compare>
#include <string>

namespace trackops {

// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header).
struct IdempotencyKey {
    std::string scope;  // caller and route: "anonymous POST /api/orders"
    std::string key;
    std::string fingerprint;  // SHA-256 of the body, hex: the same key with another one is refused
    auto operator<=>(const IdempotencyKey&) const = default;
};

// What was answered the first time, byte for byte.
struct RecordedResponse {
    int status = 0;
    std::string body;
    std::string location;
    std::string etag;
    bool operator==(const RecordedResponse&) const = default;
};

// Where a change comes from; travels with its events.
struct Trace {
    std::string correlation_id;
    std::string causation_id;  // id of the message or request that caused it
    std::string traceparent;   // W3C
    std::string tracestate;
};

}  // namespace trackops
