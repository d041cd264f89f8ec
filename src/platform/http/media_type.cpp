#include "platform/http/media_type.hpp"

#include <algorithm>

namespace trackops::http {
namespace {

bool same_word(std::string_view a, std::string_view b) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// Cuts off and returns the text before the next semicolon.
std::string_view take_part(std::string_view& rest) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view part = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

bool is_other_charset(std::string_view parameter) {
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos || !same_word(parameter.substr(0, equals), "charset"))
        return false;
    const std::string_view value = parameter.substr(equals + 1);
    return !same_word(value, "utf-8") && !same_word(value, "\"utf-8\"");
}

}  // namespace

std::optional<std::string> media_type_fault(const Request& request, std::string_view expected) {
    const auto coding = request.header("content-encoding");
    if (coding && !same_word(*coding, "identity")) return "the body must not be compressed";
    auto rest = request.header("content-type").value_or("");
    if (!same_word(take_part(rest), expected))
        return "the Content-Type must be " + std::string(expected);
    while (!rest.empty()) {
        if (is_other_charset(take_part(rest))) return "the charset must be utf-8";
    }
    return std::nullopt;
}

}  // namespace trackops::http
