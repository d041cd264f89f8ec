#include "platform/http/media_type.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/ascii_case.hpp"
#include "platform/http/field_text.hpp"

namespace trackops::http {
namespace {

// Cuts off and returns the text before the next semicolon.
std::string_view take_part(std::string_view& rest) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view part = without_white_space(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

std::string_view without_quotes(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        return text.substr(1, text.size() - 2);
    return text;
}

// The names by which clients call UTF-8, and ASCII, which is UTF-8 as well.
bool is_utf8(std::string_view charset) {
    constexpr std::string_view names[] = {"utf-8", "utf8", "us-ascii", "ascii"};
    return std::ranges::any_of(
        names, [&](std::string_view name) { return equals_in_any_case(charset, name); });
}

// Returns the charset that a parameter of the media type names; nothing for another parameter.
std::optional<std::string_view> charset_of(std::string_view parameter) {
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos ||
        !equals_in_any_case(without_white_space(parameter.substr(0, equals)), "charset"))
        return std::nullopt;
    return without_white_space(without_quotes(without_white_space(parameter.substr(equals + 1))));
}

// Returns the text as it may stand in an answer: short, and visible ASCII alone.
std::string shown(std::string_view text) {
    constexpr std::size_t shown_bytes_max = 60;
    std::string out;
    for (const char c : text.substr(0, shown_bytes_max)) out += c >= ' ' && c < 0x7f ? c : '?';
    return text.size() > shown_bytes_max ? out + "..." : out;
}

}  // namespace

std::optional<std::string> media_type_fault(const Request& request, std::string_view expected) {
    const auto coding = request.header("content-encoding");
    if (coding && !equals_in_any_case(*coding, "identity")) {
        return fmt::format("the body must not be compressed, and its Content-Encoding is {}",
                           shown(*coding));
    }
    const auto given = request.header("content-type");
    if (!given) return fmt::format("the Content-Type is missing; it must be {}", expected);
    std::string_view rest = *given;
    if (const auto type = take_part(rest); !equals_in_any_case(type, expected)) {
        return fmt::format("the Content-Type must be {}, and is {}", expected, shown(type));
    }
    while (!rest.empty()) {
        const auto charset = charset_of(take_part(rest));
        if (charset && !is_utf8(*charset))
            return fmt::format("the charset must be utf-8, and is {}", shown(*charset));
    }
    return std::nullopt;
}

}  // namespace trackops::http
