// The two ways to poll; poll_source.cpp chooses, and the source that reads the log polls while it
// repairs.
#pragma once
#include <optional>

#include "platform/outbox/snapshot.hpp"
#include "platform/relay/source.hpp"

namespace trackops::relay {

inline constexpr std::int64_t backlog_counted_max = 100'000;

std::unique_ptr<Source> make_sqlite_poll_source(sql::Database& database);

class WindowSource : public Source {
public:
    // Everything that it sees is confirmed. Nothing while a window is open, or anything was read
    // and not confirmed.
    virtual std::optional<outbox::Snapshot> done() const = 0;
};
std::unique_ptr<WindowSource> make_postgres_poll_source(sql::Database& database);

}  // namespace trackops::relay
