// Decides which caller may call which route.
#pragma once
#include <optional>

#include "base/result.hpp"
#include "platform/http/route.hpp"

namespace trackops::http {

// Returns nothing if `principal` may call the route; Errc::unauthorized if credentials could
// help; otherwise Errc::forbidden, whose detail names the missing scope. Pure. Every request passes
// it before its body is read.
std::optional<Error> authorise(const Route& route, const Principal& principal);

}  // namespace trackops::http
