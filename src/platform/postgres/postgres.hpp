// The PostgreSQL driver: a pool of pipelined connections.
#pragma once
#include <memory>
#include <string_view>

#include "platform/sql/database.hpp"

namespace trackops::sql {

// `url` is postgres://... or postgresql://... without the prefix jdbc:. Throws
// std::invalid_argument if it cannot be parsed.
std::unique_ptr<Database> open_postgres(std::string_view url, const Options& options,
                                        telemetry::Registry& metrics);

}  // namespace trackops::sql
