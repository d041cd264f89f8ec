// The SQLite driver: concurrent readers on snapshots, one writer at a time.
#pragma once
#include <memory>
#include <string_view>

#include "platform/sql/database.hpp"

namespace trackops::sql {

// `path` names a file. The file and its folder are created if they are missing.
std::unique_ptr<Database> open_sqlite(std::string_view path, const Options& options,
                                      telemetry::Registry& metrics);

// Opens a SQLite database that lives only as long as the object. It has one connection, so its
// transactions run one after the other. For the simulator.
std::unique_ptr<Database> open_in_memory(const Options& options, telemetry::Registry& metrics);

}  // namespace trackops::sql
