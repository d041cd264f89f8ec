// The server that a postgres:// URL names, and the settings of each connection to it.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/sql/database.hpp"

namespace trackops::sql::postgres {

struct Target {
    std::vector<std::pair<std::string, std::string>>
        settings;  // libpq's connection parameters; may contain a password
    std::string database;
    std::string description;  // host, port and database: no user, no password
};

// Accepts postgres://, postgresql:// and jdbc:postgresql://. Throws std::invalid_argument if the
// URL cannot be parsed. The message never quotes a password.
Target parse_target(std::string_view url, const Options& options);

}  // namespace trackops::sql::postgres
