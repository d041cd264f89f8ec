// Opens the database that a URL names, with either driver.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "platform/sql/database.hpp"

namespace trackops::backends {

// sqlite:FILE opens a file (created with its folder if missing; WAL, synchronous=FULL, foreign keys
// on). postgres://..., postgresql://... and jdbc:postgresql://... name a PostgreSQL server. Does
// not connect. Throws std::invalid_argument with the reason if the URL is invalid. `metrics`
// outlives the database.
std::unique_ptr<sql::Database> open_database(std::string_view url, const sql::Options& options,
                                             telemetry::Registry& metrics);

// Returns the folder of the file that a sqlite URL names, and "" for a server's URL.
std::string data_folder(std::string_view url);

}  // namespace trackops::backends
