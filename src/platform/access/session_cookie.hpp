// The cookie that carries the id of an operator's session.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "base/secret.hpp"
#include "platform/http/message.hpp"

namespace trackops::access {

// `__Host-trackops` for a client that speaks TLS: a browser takes it from this host alone, over TLS
// alone, and no other host can set it. `trackops` on plain loopback.
std::string_view session_cookie_name(bool is_secure);

enum class CookieState : std::uint8_t {
    absent,
    malformed,  // there are two, or it does not look like an id
    given,
};
struct SessionCookie {
    CookieState state = CookieState::absent;
    std::string_view id = {};  // points into the request
};
// Finds the cookie that fits request.context.is_secure. Any other cookie is ignored.
SessionCookie find_session_cookie(const http::Request& request);

// Returns the values of Set-Cookie: HttpOnly, SameSite=Strict, and Secure with TLS.
std::string set_session_cookie(const Secret& id, bool is_secure, Duration age_max);
std::string clear_session_cookie(bool is_secure);

}  // namespace trackops::access
