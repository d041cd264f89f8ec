// Decides which requests a route row admits.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "platform/http/message.hpp"
#include "platform/http/route.hpp"
#include "platform/http/router.hpp"

namespace trackops::http {

// Returns nothing if `principal` may call the route; Errc::unauthorized if credentials could
// help, with the fault of those that were refused, or that fault with its own code; otherwise
// Errc::forbidden, whose detail names the missing scope. Pure. Every request passes it before its
// body is read.
std::optional<Error> authorise(const Route& route, const Principal& principal);

// Returns the answer to a request that no row serves: 404 with a hint, 204 to OPTIONS, otherwise
// 405 with Allow. `allowed` is that of the match.
Response unrouted(const Router& router, std::string_view encoded_path, std::string allowed,
                  const Request& request);

// Returns the reason why the row refuses a request whose header has arrived; nothing if it admits
// it: first as authorise(), then as body_refusal() unless the body may be missing and no length
// tells that there is one, last a missing Idempotency-Key. Pure.
std::optional<Error> refusal_of(const Route& route, const Request& request, bool has_length);

// Returns Errc::unsupported_media_type if the type of a body is not the row's; nothing otherwise,
// and nothing for DELETE, whose body has no meaning in HTTP, so that clients send it without a
// type. Pure.
std::optional<Error> body_refusal(const Route& route, const Request& request);

}  // namespace trackops::http
