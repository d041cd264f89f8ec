// The reader of metadata: a JSON object of the client's own.
#pragma once
#include <optional>
#include <string>

#include "platform/json/object_reader.hpp"

namespace trackops::order::adapters {

// Reads the member `metadata`. Returns its text without blanks; nothing if it is absent or null. It
// adds a fault for one that is no object, is too long or contains U+0000.
std::optional<std::string> read_metadata(json::ObjectReader& in);

}  // namespace trackops::order::adapters
