#pragma once
#include <span>
#include <string>

namespace trackops::apps {

// Runs `trackops access COMMAND`: add-key, add-operator, rotate, revoke or list. Returns the exit
// code: 0; 1 if the file cannot be read or written, or has no such key or operator; 2 for bad
// arguments. A new key is printed to the standard output, alone, and nowhere else.
int access(std::span<const std::string> arguments, std::span<const std::string> environment);

}  // namespace trackops::apps
