#include "platform/redis/target.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "platform/url/url.hpp"

namespace trackops::cache {
namespace {

constexpr url::Form form{
    .what = "cache URL", .example = "redis://cache.example:6379/0", .scheme = "redis"};

std::optional<std::uint16_t> number_of(std::string_view text) {
    std::uint16_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// Returns nothing if the file cannot be read or is empty.
std::optional<Secret> content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file || text.empty()) return std::nullopt;
    if (text.ends_with('\n')) text.pop_back();  // one line end is not part of the password
    return Secret(std::move(text));
}

}  // namespace

std::string RedisTarget::description() const {
    return fmt::format("redis://{}/{}", url::Host{.name = host}.text(port), database);
}

RedisTarget parse_redis_target(std::string_view text) {
    const url::Url url = url::parse_url(text, form);
    if (url.hosts.size() > 1) url::refuse(text, form, "it names more than one host");
    if (url.hosts.front().name.empty()) url::refuse(text, form, "it names no host");
    RedisTarget target{.host = url.hosts.front().name,
                       .port = url.hosts.front().port.value_or(RedisTarget{}.port),
                       .user = url.user,
                       .password = url.password.value_or(Secret())};
    const bool has_other = !url.secret_parameters.empty() || url.parameters.size() > 1;
    if (has_other || (!url.parameters.empty() && url.parameters.front().name != "passwordFile"))
        url::refuse(text, form, "the only parameter is passwordFile=FILE");
    if (!url.parameters.empty()) {
        const std::string& file = url.parameters.front().value;
        auto password = content_of(file);
        if (!password) url::refuse(text, form, fmt::format("no password in the file '{}'", file));
        target.password = *std::move(password);
    }
    if (url.path.size() > 1) {
        const auto number = number_of(std::string_view(url.path).substr(1));
        if (!number) url::refuse(text, form, "the database is a number");
        target.database = *number;
    }
    if (!target.user.empty() && target.password.empty())
        url::refuse(text, form, "a user needs a password");
    return target;
}

}  // namespace trackops::cache
