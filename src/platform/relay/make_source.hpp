// Opens the source that a setting names.
#pragma once
#include <memory>
#include <string_view>

#include "platform/relay/source.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::relay {

// Opens the source of this kind: "poll", or "wal" (docs/decisions/0011-wal-source.md). `url` is the
// one that `database` was opened with. Throws std::invalid_argument for another kind, and for "wal"
// on SQLite, whose log cannot be read.
std::unique_ptr<Source> make_source(std::string_view kind, sql::Database& database,
                                    std::string_view url, telemetry::Registry& metrics);

}  // namespace trackops::relay
