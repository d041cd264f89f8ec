#include "platform/access/caller_finder.hpp"

#include <utility>

#include "platform/access/roles.hpp"
#include "platform/access/session_cookie.hpp"

namespace trackops::access {

using http::Principal;

std::shared_ptr<const Principal> CallerFinder::identify(const http::Request& request) {
    const Authorization authorization = read_authorization(request);
    if (tokens_.has_providers() && looks_like_token(authorization.token))
        return tokens_.identify(authorization.token);
    if (authorization.is_given) return store_.identify(request);
    const SessionCookie cookie = find_session_cookie(request);
    if (cookie.state == CookieState::absent) return store_.identify(request);
    if (cookie.state == CookieState::malformed) return store_.refuse(Outcome::malformed_session);
    const SessionKey key = key_of_session(cookie.id);
    const auto session = sessions_.remembered(key);
    return session ? principal_of(key, *session) : nullptr;
}

void CallerFinder::inquire(const http::Request& request, std::shared_ptr<http::Inquiry> inquiry) {
    const Authorization authorization = read_authorization(request);
    if (authorization.is_given) return tokens_.inquire(authorization.token, std::move(inquiry));
    const SessionKey key = key_of_session(find_session_cookie(request).id);
    sessions_.look_up(key, [this, key, inquiry = std::move(inquiry)](const Sessions::Found& found) {
        if (!found) return inquiry->answer(store_.refuse(Outcome::unasked));
        if (!*found) return inquiry->answer(store_.refuse(Outcome::ended_session));
        inquiry->answer(principal_of(key, **found));
    });
}

std::shared_ptr<const Principal> CallerFinder::principal_of(const SessionKey& key,
                                                            const Session& session) {
    const auto who = store_.find_operator(session.operator_name);
    if (!who || mark_of(*who) != session.mark) return store_.refuse(Outcome::ended_session);
    return std::make_shared<const Principal>(Principal{.name = "operator:" + who->name,
                                                       .scopes = scopes_of(who->role),
                                                       .session = handle_of(key)});
}

}  // namespace trackops::access
