// The use case that turns messages about orders into reservations, shipments and replies.
#pragma once
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "inventory/app/ports.hpp"

namespace trackops::inventory::app {

// Returns one result for each message, in order. However often and in whatever order the messages
// arrive, the stock of an order is reserved at most once and released or shipped at most once.
// Errors: as ReservationStore::handle().
std::vector<Result<MessageResult>> handle_order_events(std::span<const IncomingMessage> messages,
                                                       ReservationStore& store, const Clock& clock,
                                                       Ids& ids);

}  // namespace trackops::inventory::app
