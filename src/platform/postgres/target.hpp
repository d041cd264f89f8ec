// Which server a postgres:// URL names, and with which settings each connection to it starts.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/sql/database.hpp"

namespace trackops::sql::postgres {

struct Target {
    std::vector<std::pair<std::string, std::string>>
        settings;  // libpq's words; may hold a password
    std::string database;
    std::string description;  // host, port and database: no user, no password
};

// postgres://, postgresql:// or jdbc:postgresql://. Throws std::invalid_argument, which never
// quotes a password, when the URL cannot be read.
Target parse_target(std::string_view url, const Options& options);

}  // namespace trackops::sql::postgres
