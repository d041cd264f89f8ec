// Polls outbox_events on SQLite by position: SQLite has one writer.
#pragma once
#include <memory>

#include "platform/relay/source.hpp"

namespace trackops::relay {

std::unique_ptr<Source> make_sqlite_poll_source(sql::Database& database);

}  // namespace trackops::relay
