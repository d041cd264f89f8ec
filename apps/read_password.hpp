// Reads a password from a person or from a script.
#pragma once
#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace trackops::apps {

// On a terminal, asks for the password twice without showing it. Otherwise takes the first line of
// the standard input. Returns Errc::invalid for a password that is too short or too long, has a
// control character, or was not the same twice.
Result<Secret> read_new_password();

// Takes the first line of the file. Without one (""), asks the question on a terminal without
// showing the answer, or takes the first line of the standard input. Returns Errc::invalid if the
// file cannot be read or nothing is given.
Result<Secret> read_password(const std::string& file, const std::string& question);

}  // namespace trackops::apps
