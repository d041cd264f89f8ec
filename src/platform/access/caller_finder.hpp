// Names the caller of a request: by the key or the token in Authorization, or else by the session
// in the cookie.
#pragma once
#include <memory>

#include "platform/access/access_store.hpp"
#include "platform/access/sessions.hpp"
#include "platform/access/tokens.hpp"
#include "platform/http/identifier.hpp"

namespace trackops::access {

// Thread-safe. The cookie is believed only because the server refuses the requests of pages of
// other origins before a route is looked for (http/origin.hpp).
class CallerFinder final : public http::Identifier {
public:
    // All outlive this.
    CallerFinder(AccessStore& store, Sessions& sessions, Tokens& tokens)
        : store_(store), sessions_(sessions), tokens_(tokens) {}

    // A caller with Authorization is not looked for in the cookie, whatever becomes of it. The
    // principal of a session is called operator:<name> and has the scopes of the operator's role.
    std::shared_ptr<const http::Principal> identify(const http::Request& request) override;
    void inquire(const http::Request& request, std::shared_ptr<http::Inquiry> inquiry) override;

private:
    std::shared_ptr<const http::Principal> principal_of(const SessionKey& key,
                                                        const Session& session);

    AccessStore& store_;
    Sessions& sessions_;
    Tokens& tokens_;
};

}  // namespace trackops::access
