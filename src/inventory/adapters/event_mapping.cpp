#include "inventory/adapters/event_mapping.hpp"

#include <array>
#include <utility>

#include "base/sku.hpp"
#include "inventory/adapters/reservation_state_names.hpp"

namespace trackops::inventory::adapters {

namespace {

using MappedMessage = Result<std::optional<domain::OrderMessage>>;

MappedMessage message_of(const events::OrderCreated& event) {
    domain::OrderMessage message{domain::OrderId(event.order_id),
                                 domain::ReservationCommand::create};
    // Without tracked lines nothing is reserved, and the order waits for the answer all the same.
    if (event.items.empty() && event.untracked_items.empty())
        return fail(Errc::invalid, "an order without lines");
    for (const auto& item : event.items) {
        if (!is_sku(item.sku)) return fail(Errc::invalid, "a line with no SKU");
        if (item.quantity < 1)
            return fail(Errc::invalid, "a line that asks for nothing: " + item.sku);
        message.lines.push_back({item.sku, item.quantity});
    }
    return message;
}

MappedMessage message_of(const events::OrderCancelled& event) {
    return domain::OrderMessage{
        domain::OrderId(event.order_id), domain::ReservationCommand::cancel, {}, event.reason};
}

MappedMessage message_of(const events::OrderStatusUpdated& event) {
    if (event.new_status != "SHIPPED") return std::optional<domain::OrderMessage>();
    return domain::OrderMessage{domain::OrderId(event.order_id), domain::ReservationCommand::ship};
}

template <class Other>
MappedMessage message_of(const Other&) {
    return std::optional<domain::OrderMessage>();
}

std::vector<events::StockLine> lines_of(const std::vector<domain::Line>& lines) {
    std::vector<events::StockLine> items;
    items.reserve(lines.size());
    for (const domain::Line& line : lines) items.push_back({line.sku, line.quantity});
    return items;
}

events::Event event_of(domain::OrderId order_id, const domain::Reserved& reply) {
    return events::InventoryReserved{
        order_id.uuid, reply.reservation_id.uuid, lines_of(reply.lines), {}};
}

events::Event event_of(domain::OrderId order_id, const domain::ReservationFailed& reply) {
    events::InventoryReservationFailed event{order_id.uuid, reply.reason, {}};
    for (const domain::Shortage& shortage : reply.shortages) {
        event.items.push_back({shortage.sku, shortage.requested, shortage.available,
                               std::string(name_of(shortage.reason))});
    }
    return event;
}

events::Event event_of(domain::OrderId order_id, const domain::Released& reply) {
    return events::InventoryReleased{order_id.uuid, reply.reservation_id.uuid,
                                     lines_of(reply.lines), reply.reason};
}

}  // namespace

std::span<const std::string_view> subscribed_topics() {
    static constexpr auto topics =
        std::to_array<std::string_view>({events::OrderCreated::type, events::OrderCancelled::type,
                                         events::OrderStatusUpdated::type});
    return topics;
}

MappedMessage to_order_message(const events::Event& event) {
    return std::visit([](const auto& one) { return message_of(one); }, event);
}

events::Event to_event(domain::OrderId order_id, const domain::InventoryReply& reply) {
    return std::visit([&](const auto& one) { return event_of(order_id, one); }, reply);
}

}  // namespace trackops::inventory::adapters
