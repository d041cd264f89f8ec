#include "platform/http/authorise.hpp"

#include <utility>

#include <fmt/format.h>

#include "platform/http/idempotency_key.hpp"
#include "platform/http/media_type.hpp"
#include "platform/http/problem.hpp"

namespace trackops::http {

std::optional<Error> authorise(const Route& route, const Principal& principal) {
    if (principal.scopes.contains(route.scope)) return std::nullopt;
    if (route.is_for_own_customer && !principal.customer_id.empty() &&
        principal.scopes.contains(Scope::orders_own))
        return std::nullopt;
    if (route.scope == Scope::authenticated) {
        if (principal.is_authenticated) return std::nullopt;
        if (principal.fault.empty()) return Error{Errc::unauthorized, "this needs credentials"};
    }
    if (!principal.fault.empty()) return Error{principal.fault_code, std::string(principal.fault)};
    return Error{principal.is_authenticated ? Errc::forbidden : Errc::unauthorized,
                 fmt::format("this needs the scope {}", name_of(route.scope))};
}

Response unrouted(const Router& router, std::string_view encoded_path, std::string allowed,
                  const Request& request) {
    if (allowed.empty())
        return problem({Errc::not_found, "no such path; " + router.hint(encoded_path)}, request);
    Response response{.status = 204};
    if (request.method != "OPTIONS")
        response = problem({Errc::method_not_allowed, "this path knows " + allowed}, request);
    response.headers.emplace_back("Allow", std::move(allowed));
    return response;
}

std::optional<Error> refusal_of(const Route& route, const Request& request, bool has_length) {
    if (auto error = authorise(route, *request.context.principal)) return error;
    if (!route.body_optional || has_length) {
        if (auto error = body_refusal(route, request)) return error;
    }
    if (auto given = check_key_is_given(route, request); !given) return std::move(given).error();
    return std::nullopt;
}

std::optional<Error> body_refusal(const Route& route, const Request& request) {
    if (route.body == Body::none || route.method == "DELETE") return std::nullopt;
    auto fault = media_type_fault(request, media_type_of(route.body));
    if (!fault) return std::nullopt;
    // RFC 7396; a PATCH of ours is one whichever type names it.
    const bool is_merge_patch = route.method == "PATCH" && route.body == Body::json &&
                                !media_type_fault(request, "application/merge-patch+json");
    if (is_merge_patch) return std::nullopt;
    return Error{Errc::unsupported_media_type, *std::move(fault)};
}

}  // namespace trackops::http
