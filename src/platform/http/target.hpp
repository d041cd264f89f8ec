// Parses the request target into path and query. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace trackops::http {

struct Request;

struct Target {
    std::string_view authority;  // of the absolute form, otherwise empty; refers to the parsed text
    std::string_view encoded_path;  // without one slash at its end; refers to the parsed text
    std::string path;
    std::vector<std::pair<std::string, std::string>> query;
};

// The maximum number of parameters of a query: the largest number that a route takes
// (availability_skus_max), and room for the others.
inline constexpr std::size_t query_parameters_max = 512;

// Accepts origin form and absolute form (RFC 9112, section 3.2). Returns Errc::malformed for any
// other form, a bad escape, and decoded text that is not UTF-8 or has a control character, and
// Errc::invalid for more than query_parameters_max parameters. In the query "+" is a space.
Result<Target> parse_target(std::string_view text);

// Sets path and query of the request, and its Host to the authority of an absolute form, which
// replaces it (RFC 9112, section 3.2.2). OPTIONS may have the target "*". Returns the encoded path,
// which refers to `text`. Errors as parse_target().
Result<std::string_view> set_target(Request& request, std::string_view text);

// Returns nothing for a bad escape.
std::optional<std::string> percent_decoded(std::string_view text);
// Returns the path in the form that a URI reference requires.
std::string percent_encoded_path(std::string_view path);
// Returns the text as one segment of a path, or as a name or value of a query, whatever it
// contains.
std::string percent_encoded_segment(std::string_view text);

}  // namespace trackops::http
