// What a relay writes for itself need not have reached the disk before it goes on.
#pragma once
#include "platform/sql/database.hpp"

namespace trackops::relay {

// The transaction's commit does not wait for the disk. A crash of the server can take back the last
// second of a relay's checkpoint or lease: then events are published again, or by two relays for a
// while, and never lost.
inline constexpr sql::Query async_commit{
    .name = "relay.no_wait",
    .text = "SELECT 1",
    .postgres = "SELECT set_config('synchronous_commit', 'off', true)"};

}  // namespace trackops::relay
