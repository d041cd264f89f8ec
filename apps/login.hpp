// The commands `trackops login`, `logout` and `whoami`: the session of an operator for the commands
// of a terminal.
#pragma once
#include <span>
#include <string>

namespace trackops::apps {

// Each returns the exit code: 0, 1 if the server refused or did not answer, 2 for bad arguments.
int login(std::span<const std::string> arguments, std::span<const std::string> environment);
int logout(std::span<const std::string> arguments, std::span<const std::string> environment);
int whoami(std::span<const std::string> arguments, std::span<const std::string> environment);

}  // namespace trackops::apps
