#include "platform/redis/target.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

namespace trackops::cache {
namespace {

constexpr std::string_view scheme = "redis://";
constexpr std::string_view password_file = "passwordFile=";

[[noreturn]] void refuse(std::string_view what) {
    throw std::invalid_argument(fmt::format("cache URL redis://...: {}", what));
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
    Number number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        unsigned code = 0;  // unsigned: from_chars then accepts no sign
        const auto digits = text.substr(i + 1, 2);
        const auto [end, failure] =
            std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        if (failure != std::errc() || digits.size() != 2 || end != digits.data() + 2)
            refuse("a % is followed by two hex digits");
        out += static_cast<char>(code);
        i += 2;
    }
    return out;
}

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file || text.empty()) refuse(fmt::format("no password in the file '{}'", path));
    if (text.ends_with('\n')) text.pop_back();  // one line end is not part of the password
    return text;
}

// Parses host, host:port, [v6] or [v6]:port.
void read_address(std::string_view text, RedisTarget& target) {
    std::size_t host_end = text.find(':');
    if (text.starts_with('[')) {
        host_end = text.find(']');
        if (host_end == std::string_view::npos) refuse("a [ without its ]");
        target.host = text.substr(1, host_end - 1);
        ++host_end;
    } else {
        target.host = text.substr(0, host_end);
    }
    if (target.host.empty()) refuse("names no host");
    if (host_end >= text.size()) return;
    const auto port = number_of<std::uint16_t>(text.substr(host_end + 1));
    if (text[host_end] != ':' || !port || *port == 0) refuse("the port is a number up to 65535");
    target.port = *port;
}

}  // namespace

std::string RedisTarget::description() const {
    const bool is_v6 = host.find(':') != std::string::npos;
    return fmt::format("redis://{}{}{}:{}/{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port,
                       database);
}

RedisTarget parse_redis_target(std::string_view url, std::string_view environment_password) {
    if (!url.starts_with(scheme)) refuse("starts with redis://");
    if (url.find('\0') != std::string_view::npos) refuse("has no NUL");
    std::string_view rest = url.substr(scheme.size());
    std::optional<std::string> from_file;
    if (const auto mark = rest.find('?'); mark != std::string_view::npos) {
        const std::string_view query = rest.substr(mark + 1);
        if (!query.starts_with(password_file) || query.find('&') != std::string_view::npos)
            refuse("the only parameter is passwordFile=FILE");
        from_file = content_of(percent_decoded(query.substr(password_file.size())));
        rest = rest.substr(0, mark);
    }
    RedisTarget target;
    target.password = environment_password;
    // Splits at the last @, so that an unencoded @ in a password does not move the host.
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
        const std::string_view login = rest.substr(0, at);
        const auto colon = login.find(':');
        target.user = percent_decoded(login.substr(0, colon));
        if (colon != std::string_view::npos)
            target.password = percent_decoded(login.substr(colon + 1));
        rest.remove_prefix(at + 1);
    }
    if (from_file) target.password = *std::move(from_file);
    if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
        if (const auto database = rest.substr(slash + 1); !database.empty()) {
            const auto number = number_of<std::uint16_t>(database);
            if (!number) refuse("the database is a number");
            target.database = *number;
        }
        rest = rest.substr(0, slash);
    }
    read_address(rest, target);
    if (!target.user.empty() && target.password.empty()) refuse("a user needs a password");
    return target;
}

}  // namespace trackops::cache
