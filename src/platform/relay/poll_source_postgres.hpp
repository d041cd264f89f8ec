// Polls outbox_events on PostgreSQL by snapshot windows. The WAL source uses it for its repairs.
#pragma once
#include <memory>
#include <optional>

#include "platform/outbox/snapshot.hpp"
#include "platform/relay/source.hpp"

namespace trackops::relay {

class WindowSource : public Source {
public:
    // Returns a snapshot of which every event is confirmed. Nothing while a window is open, or
    // while an event was read and not confirmed.
    virtual std::optional<outbox::Snapshot> done() const = 0;
};
std::unique_ptr<WindowSource> make_postgres_poll_source(sql::Database& database);

}  // namespace trackops::relay
