// A relay's own rows need not reach the disk before the relay goes on.
#pragma once
#include "platform/sql/database.hpp"

namespace trackops::relay {

// After this statement the commit of the transaction does not wait for the disk. A crash of the
// server can undo the last second of a checkpoint or a lease. Then events are published twice, or
// two relays work for a while; no event is lost.
inline constexpr sql::Query async_commit{
    .name = "relay.no_wait",
    .text = "SELECT 1",
    .postgres = "SELECT set_config('synchronous_commit', 'off', true)"};

}  // namespace trackops::relay
