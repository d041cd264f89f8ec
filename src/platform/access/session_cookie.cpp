#include "platform/access/session_cookie.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "platform/access/digest.hpp"

namespace trackops::access {
namespace {

std::string attributes(bool is_secure, std::int64_t seconds) {
    return fmt::format("; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", seconds,
                       is_secure ? "; Secure" : "");
}

}  // namespace

std::string_view session_cookie_name(bool is_secure) {
    return is_secure ? "__Host-trackops" : "trackops";
}

SessionCookie find_session_cookie(const http::Request& request) {
    const std::string_view name = session_cookie_name(request.context.is_secure);
    SessionCookie found;
    for (const auto& [header, value] : request.headers) {
        if (header != "cookie") continue;
        for (std::string_view rest = value; !rest.empty();) {
            const std::size_t end = std::min(rest.find(';'), rest.size());
            std::string_view pair = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
            if (!pair.starts_with(name) || !pair.substr(name.size()).starts_with('=')) continue;
            const std::string_view id = pair.substr(name.size() + 1);
            // Of two cookies another program may have set one.
            const bool is_one = found.state == CookieState::absent && parse_digest(id);
            found = {is_one ? CookieState::given : CookieState::malformed, is_one ? id : ""};
        }
    }
    return found;
}

std::string set_session_cookie(const Secret& id, bool is_secure, Duration age_max) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age_max).count();
    return fmt::format("{}={}{}", session_cookie_name(is_secure), id.reveal(),
                       attributes(is_secure, seconds));
}

std::string clear_session_cookie(bool is_secure) {
    return fmt::format("{}={}", session_cookie_name(is_secure), attributes(is_secure, 0));
}

}  // namespace trackops::access
