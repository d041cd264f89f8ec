#include "platform/http/authorise.hpp"

#include <fmt/format.h>

namespace trackops::http {

std::optional<Error> authorise(const Route& route, const Principal& principal) {
    if (principal.scopes.contains(route.scope)) return std::nullopt;
    return Error{principal.is_authenticated ? Errc::forbidden : Errc::unauthorized,
                 fmt::format("this needs the scope {}", name_of(route.scope))};
}

}  // namespace trackops::http
