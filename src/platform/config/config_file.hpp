// Reads the file of the setting `config`: one JSON object, with the names of settings as its names.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace trackops::config {

inline constexpr std::size_t config_file_bytes_max = 1024 * 1024;

struct FileEntry {
    std::string name;
    // As a flag would have it; nothing if the JSON value is not a text, a whole number, true or
    // false.
    std::optional<std::string> value;
};

// Returns the members of the object in the order of the file. Returns Errc::invalid with the reason
// if the file cannot be read, is larger than config_file_bytes_max, or is not one JSON object.
Result<std::vector<FileEntry>> read_config_file(const std::string& path);

}  // namespace trackops::config
