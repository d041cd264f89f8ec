// The entry point of the command `trackops verify`.
#pragma once
#include <span>
#include <string>

namespace trackops::apps {

// Runs `trackops verify`. Returns the exit code of the program: 0 if every invariant holds, 3 if
// one is broken, 2 for bad arguments, 1 if a database cannot be read.
int verify(std::span<const std::string> arguments, std::span<const std::string> environment);

}  // namespace trackops::apps
