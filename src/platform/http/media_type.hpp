// Checks the media type of a request's body. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "platform/http/message.hpp"

namespace trackops::http {

// Returns the reason why the body is not of type `expected` (e.g. application/json); nothing if it
// is. UTF-8 is the only accepted charset, in any spelling (utf-8, UTF8, "utf-8", and ASCII, which
// is a part of it), and no content coding is accepted.
std::optional<std::string> media_type_fault(const Request& request, std::string_view expected);

}  // namespace trackops::http
