// URLs of servers whose passwords are settings of their own.
#pragma once
#include <string>
#include <string_view>

#include "platform/config/settings.hpp"

namespace trackops::apps {

// Returns the row of a password: a secret, so that TRACKOPS_NAME_FILE may name its file.
constexpr config::Setting password_setting(std::string_view name, std::string_view help) {
    return {.name = name,
            .kind = config::Kind::text,
            .default_value = "",
            .help = help,
            .secret = true};
}

// Returns the URL of the setting `url_name` with the password of `password_name`, if that is given.
// Throws std::invalid_argument, naming the setting, if the password does not fit the URL.
std::string url_with_password(const config::Values& values, std::string_view url_name,
                              std::string_view password_name);

// Returns the fault of a password on the command line, where every user who can list processes
// could read it; "" for none.
std::string password_on_command_line(const config::Values& values);

}  // namespace trackops::apps
