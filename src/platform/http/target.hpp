// The request target: path and query out of percent-encoded text. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace trackops::http {

struct Target {
    std::string_view encoded_path;  // into the text that was parsed
    std::string path;
    std::vector<std::pair<std::string, std::string>> query;
};

// Origin form and absolute form (RFC 9112, 3.2). Errc::malformed for every other, a bad escape, and
// what is not UTF-8 or a control character once decoded. In the query + is a space.
Result<Target> parse_target(std::string_view text);

// Nothing for a bad escape.
std::optional<std::string> percent_decoded(std::string_view text);
// The path as a URI reference may spell it.
std::string percent_encoded_path(std::string_view path);

}  // namespace trackops::http
