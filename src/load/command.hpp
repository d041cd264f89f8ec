// The entry point of the command `trackops load`.
#pragma once
#include <span>
#include <string>

namespace trackops::load {

// Runs the command `trackops load` (its arguments: --help): reads the arguments, plays the input
// and prints the report. Returns the exit code of the program: 0 on success, 1 if the report has
// not succeeded, 2 if the arguments or the file cannot be used.
int command(std::span<const std::string> arguments, std::span<const std::string> environment);

}  // namespace trackops::load
