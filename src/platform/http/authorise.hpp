// Decides which requests a route row admits.
#pragma once
#include <optional>

#include "base/result.hpp"
#include "platform/http/route.hpp"

namespace trackops::http {

// Returns nothing if `principal` may call the route; Errc::unauthorized if credentials could
// help, with the fault of those that were refused; otherwise Errc::forbidden, whose detail names
// the missing scope. Pure. Every request passes it before its body is read.
std::optional<Error> authorise(const Route& route, const Principal& principal);

// Returns the reason why the row refuses a request whose header has arrived; nothing if it admits
// it: first as authorise(), then as body_refusal() unless the body may be missing and no length
// tells that there is one, last a missing Idempotency-Key. Pure.
std::optional<Error> refusal_of(const Route& route, const Request& request, bool has_length);

// Returns Errc::unsupported_media_type if the type of a body is not the row's; nothing otherwise,
// and nothing for DELETE, whose body has no meaning in HTTP, so that clients send it without a
// type. Pure.
std::optional<Error> body_refusal(const Route& route, const Request& request);

}  // namespace trackops::http
