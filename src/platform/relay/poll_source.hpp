// The source that polls outbox_events, on either database.
#pragma once
#include <memory>

#include "platform/relay/source.hpp"

namespace trackops::relay {

// Polls outbox_events: on PostgreSQL by snapshot windows, which relay.checkpoint stores as {base,
// target, cursor}; on SQLite, which has one writer, by position alone. The source stores its
// checkpoint only after events; on PostgreSQL also when many transactions have passed without any.
std::unique_ptr<Source> make_poll_source(sql::Database& database);

}  // namespace trackops::relay
