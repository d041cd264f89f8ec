// Between the published language and inventory's own words.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "events/events.hpp"
#include "inventory/domain/reservation.hpp"

namespace trackops::inventory::adapters {

// The topics we listen to.
std::span<const std::string_view> subscribed_topics();

// What the event says to us; nothing where it does not concern stock. Errc::invalid for one that no
// order can mean.
Result<std::optional<domain::OrderMessage>> to_order_message(const events::Event& event);
events::Event to_event(domain::OrderId order_id, const domain::InventoryReply& reply);

}  // namespace trackops::inventory::adapters
