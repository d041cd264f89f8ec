#include "platform/relay/make_source.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "platform/relay/poll_source.hpp"
#include "platform/relay/wal/source.hpp"

namespace trackops::relay {

std::unique_ptr<Source> make_source(std::string_view kind, sql::Database& database,
                                    std::string_view url, telemetry::Registry& metrics) {
    if (kind == "poll") return make_poll_source(database);
    if (kind == "wal") return make_wal_source(database, url, {}, metrics);
    throw std::invalid_argument(fmt::format("a relay's source is poll or wal, not {}", kind));
}

}  // namespace trackops::relay
