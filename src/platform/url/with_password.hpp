// Joins a URL and the password that a setting of its own gives.
#pragma once
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace trackops::url {

// Returns the URL with the password before its hosts, percent-encoded; the URL as it is if the
// password is empty. Throws std::invalid_argument, without either password, if the URL names no
// server or already holds a password.
std::string with_password(std::string_view text, const Secret& password);

}  // namespace trackops::url
