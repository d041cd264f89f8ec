// What a request's headers say its body is. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "platform/http/message.hpp"

namespace trackops::http {

// Why the body cannot be taken where `expected` is (e.g. application/json); nothing if it can.
// UTF-8 is the only charset, and no content coding is known.
std::optional<std::string> media_type_fault(const Request& request, std::string_view expected);

}  // namespace trackops::http
