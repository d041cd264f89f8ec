#include "platform/url/with_password.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "platform/url/mask.hpp"

namespace trackops::url {
namespace {

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    std::string out;
    for (const char c : text) {
        out += plain.contains(c)
                   ? std::string(1, c)
                   : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return out;
}

}  // namespace

std::string with_password(std::string_view text, const Secret& password) {
    if (password.empty()) return std::string(text);
    const auto scheme = text.find("://");
    if (scheme == std::string_view::npos || text.starts_with("sqlite:") ||
        text.starts_with("embedded:"))
        throw std::invalid_argument("a password is given for a URL that names no server");
    if (holds_password(text))
        throw std::invalid_argument(
            fmt::format("a password is given beside the one in '{}'", masked(text)));
    const auto authority = scheme + 3;
    const auto end = std::min(text.find_first_of("/?#", authority), text.size());
    const auto at = text.substr(authority, end - authority).rfind('@');
    const bool has_user = at != std::string_view::npos;
    const auto where = has_user ? authority + at : authority;
    return fmt::format("{}:{}{}{}", text.substr(0, where), percent_encoded(password.reveal()),
                       has_user ? "" : "@", text.substr(where));
}

}  // namespace trackops::url
