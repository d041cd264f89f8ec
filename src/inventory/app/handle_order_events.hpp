// What the orders say becomes reservations, shipments and replies.
#pragma once
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "inventory/app/ports.hpp"

namespace trackops::inventory::app {

// One answer a message, in order. However often and in whatever order messages come, each order's
// stock is held and let go at most once.
std::vector<Result<MessageResult>> handle_order_events(std::span<const IncomingMessage> messages,
                                                       ReservationStore& store, const Clock& clock,
                                                       Ids& ids);

}  // namespace trackops::inventory::app
