// The metadata of a request: its idempotency key, the recorded response, and its trace.
#pragma once
#include <compare>
#include <string>

namespace trackops {

// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header).
struct IdempotencyKey {
    std::string scope;  // the caller, the method and the path: "anonymous POST /api/orders"
    std::string key;
    // The SHA-256 of the request's meaning, in hex: other blanks, another order of members and
    // another form of a number have the same one. The same key with another fingerprint is refused.
    std::string fingerprint;
    // The SHA-256 of the body's bytes, in hex, by which version 0.1 recorded a request.
    std::string bytes_fingerprint = {};
    auto operator<=>(const IdempotencyKey&) const = default;
};

// The response to the first request with an idempotency key, byte for byte.
struct RecordedResponse {
    int status = 0;
    std::string body;
    std::string location;
    std::string etag;
    bool operator==(const RecordedResponse&) const = default;
};

// The origin of a change. The headers of its events carry it.
struct Trace {
    std::string correlation_id;
    std::string causation_id;  // the id of the message or request that caused the change
    std::string traceparent;   // W3C Trace Context
    std::string tracestate;    // W3C Trace Context
};

}  // namespace trackops
