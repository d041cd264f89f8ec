// The Idempotency-Key of a request (draft-ietf-httpapi-idempotency-key-header) and the recorded
// response of a repeated request.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/request.hpp"
#include "platform/http/message.hpp"
#include "platform/http/route.hpp"

namespace trackops::http {

inline constexpr std::size_t idempotency_key_bytes_max = 255;

// Returns the key in the header's value (bare, or a quoted structured-field string); nothing
// without a header. Returns Errc::invalid if the key is empty, too long or not visible ASCII.
Result<std::optional<std::string>> read_idempotency_key(std::optional<std::string_view> header);

// Returns the key of a request with its scope (caller, method and path, so that one key may serve
// different calls) and the fingerprints of its body. Its recorded response will be kept for
// `lifetime`.
Result<std::optional<IdempotencyKey>> read_idempotency_key(const Request& request,
                                                           Duration lifetime);

// Returns Errc::precondition_required if the route requires a key and the request has none.
Result<void> check_key_is_given(const Route& route, const Request& request);

// Returns the routes with Idempotency::optional in place of Idempotency::required, for clients that
// were written before a key was required.
std::vector<Route> with_optional_keys(std::vector<Route> routes);

// Returns the key that a line of a bulk request carries, with the scope of the request and the
// fingerprints of the line. A CR at the end of the line does not count. Errc::precondition_required
// without a key; Errc::invalid as above.
Result<IdempotencyKey> read_line_key(const Request& request, const std::optional<std::string>& key,
                                     std::string_view line,
                                     Duration lifetime = idempotency_lifetime_default);

// Returns the SHA-256 of the body's bytes, in hex.
std::string fingerprint(std::string_view body);
// Returns the fingerprint of what the body means as JSON: of its canonical text. An empty body
// means
// {}. A body that is no JSON has the fingerprint of its bytes.
std::string fingerprint_of_meaning(std::string_view body);

// Returns the recorded response for the first request.
Response response_of(const RecordedResponse& answer);
// Adds the header Idempotency-Expires, the time until which the recorded response is kept at least.
void add_key_expiry(Response& response, Instant expires_at);
// Returns the recorded response for a repeated request, marked with the headers
// Idempotency-Replayed and Idempotency-Expires.
Response replayed_response(const RecordedResponse& answer);

}  // namespace trackops::http
