#include "apps/server_urls.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "platform/url/mask.hpp"
#include "platform/url/with_password.hpp"

namespace trackops::apps {

std::string url_with_password(const config::Values& values, std::string_view url_name,
                              std::string_view password_name) {
    const std::string& password = values.text(password_name);
    if (!password.empty() && values.text(url_name).empty())
        throw std::invalid_argument(fmt::format("{} is given without {}", password_name, url_name));
    try {
        return url::with_password(values.text(url_name), Secret(password));
    } catch (const std::invalid_argument& refusal) {
        throw std::invalid_argument(fmt::format("{}: {}", password_name, refusal.what()));
    }
}

std::string password_on_command_line(const config::Values& values) {
    for (const auto& [name, given] : values.values) {
        const bool is_password = name.ends_with("password") && !given.value.empty();
        if (given.source == "flag" && (is_password || url::holds_password(given.value))) {
            return fmt::format(
                "--{} holds a password, which everybody on this machine can read in the list of "
                "processes: give it in the environment or in a file",
                name);
        }
    }
    return {};
}

}  // namespace trackops::apps
