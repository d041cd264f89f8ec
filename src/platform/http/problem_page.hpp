// The page about a problem code: its meaning, whether to repeat the request, the next step.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace trackops::http {

// Returns the page as HTML; nothing if no problem has this code.
std::optional<std::string> problem_page(std::string_view code);

}  // namespace trackops::http
