// The two drivers behind open(); only open.cpp and the drivers include this.
#pragma once
#include <memory>
#include <string_view>

#include "platform/sql/database.hpp"

namespace trackops::sql {

// path: a file, made with its folder when missing.
std::unique_ptr<Database> open_sqlite(std::string_view path, const Options& options,
                                      telemetry::Registry& metrics);
// url: postgres://... or postgresql://... (jdbc: is already taken off); std::invalid_argument when it cannot be read.
std::unique_ptr<Database> open_postgres(std::string_view url, const Options& options,
                                        telemetry::Registry& metrics);

}  // namespace trackops::sql
