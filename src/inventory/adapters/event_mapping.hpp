// The mapping between the events on the wire and the domain of inventory.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "events/events.hpp"
#include "inventory/domain/reservation.hpp"

namespace trackops::inventory::adapters {

// The topics to which inventory subscribes.
std::span<const std::string_view> subscribed_topics();

// Returns the message of the event; nothing when the event does not concern stock. Errc::invalid
// when an ORDER_CREATED has no lines, an invalid SKU or a quantity below 1.
Result<std::optional<domain::OrderMessage>> to_order_message(const events::Event& event);
// Returns the event of a reply about the order.
events::Event to_event(domain::OrderId order_id, const domain::InventoryReply& reply);

}  // namespace trackops::inventory::adapters
