// The text of --help and --print-config.
#pragma once
#include <span>
#include <string>

#include "platform/config/settings.hpp"

namespace trackops::config {

// Returns the text of --help: two columns, wrapped at 100 characters.
std::string help(std::span<const Setting> table);
// Returns the text of --print-config: lines of `name = value (source)`, with secrets masked.
std::string print(std::span<const Setting> table, const Values& values);

}  // namespace trackops::config
