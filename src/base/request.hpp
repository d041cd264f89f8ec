// The metadata of a request: its idempotency key, the recorded response, and its trace.
#pragma once
#include <chrono>
#include <compare>
#include <string>

#include "base/instant.hpp"

namespace trackops {

inline constexpr Duration idempotency_lifetime_default = std::chrono::hours(24);

// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header).
struct IdempotencyKey {
    std::string scope;  // the caller, the method and the path: "anonymous POST /api/orders"
    std::string key;
    // The SHA-256 of the request's meaning, in hex: other blanks, another order of members and
    // another form of a number have the same one. The same key with another fingerprint is refused.
    std::string fingerprint;
    // The SHA-256 of the body's bytes, in hex, by which version 0.1 recorded a request.
    std::string bytes_fingerprint = {};
    Duration lifetime = idempotency_lifetime_default;  // of the recorded response
    auto operator<=>(const IdempotencyKey&) const = default;
};

// The response to the first request with an idempotency key, byte for byte.
struct RecordedResponse {
    int status = 0;
    std::string body;
    std::string location;
    std::string etag;
    // The end of the key's lifetime, of a response that was read; it is not part of the response.
    Instant expires_at = {};
    bool operator==(const RecordedResponse& other) const {
        return status == other.status && body == other.body && location == other.location &&
               etag == other.etag;
    }
};

// The origin of a change. The headers of its events carry it.
struct Trace {
    std::string correlation_id;
    std::string causation_id;  // the id of the message or request that caused the change
    std::string traceparent;   // W3C Trace Context
    std::string tracestate;    // W3C Trace Context
};

}  // namespace trackops
