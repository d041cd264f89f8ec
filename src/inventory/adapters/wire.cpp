#include "inventory/adapters/wire.hpp"

#include <array>
#include <utility>

#include "base/sku.hpp"
#include "inventory/adapters/names.hpp"

namespace trackops::inventory::adapters {

namespace {

using Heard = Result<std::optional<domain::OrderMessage>>;

Heard read(const events::OrderCreated& event) {
    domain::OrderMessage message{domain::OrderId(event.order_id), domain::Ask::create};
    if (event.items.empty()) return fail(Errc::invalid, "an order without lines");
    for (const auto& item : event.items) {
        if (!is_sku(item.sku)) return fail(Errc::invalid, "a line with no SKU");
        if (item.quantity < 1)
            return fail(Errc::invalid, "a line that asks for nothing: " + item.sku);
        message.lines.push_back({item.sku, item.quantity});
    }
    return message;
}

Heard read(const events::OrderCancelled& event) {
    return domain::OrderMessage{
        domain::OrderId(event.order_id), domain::Ask::cancel, {}, event.reason};
}

Heard read(const events::OrderStatusUpdated& event) {
    if (event.new_status != "SHIPPED") return std::optional<domain::OrderMessage>();
    return domain::OrderMessage{domain::OrderId(event.order_id), domain::Ask::ship};
}

template <class Other>
Heard read(const Other&) {
    return std::optional<domain::OrderMessage>();
}

std::vector<events::StockLine> lines_of(const std::vector<domain::Line>& lines) {
    std::vector<events::StockLine> items;
    items.reserve(lines.size());
    for (const domain::Line& line : lines) items.push_back({line.sku, line.quantity});
    return items;
}

events::Event written(domain::OrderId order_id, const domain::Reserved& reply) {
    return events::InventoryReserved{
        order_id.uuid, reply.reservation_id.uuid, lines_of(reply.lines), {}};
}

events::Event written(domain::OrderId order_id, const domain::ReservationFailed& reply) {
    events::InventoryReservationFailed event{order_id.uuid, reply.reason, {}};
    for (const domain::Shortage& shortage : reply.shortages) {
        event.items.push_back({shortage.sku, shortage.requested, shortage.available,
                               std::string(name_of(shortage.lack))});
    }
    return event;
}

events::Event written(domain::OrderId order_id, const domain::Released& reply) {
    return events::InventoryReleased{order_id.uuid, reply.reservation_id.uuid,
                                     lines_of(reply.lines), reply.reason};
}

}  // namespace

std::span<const std::string_view> topics_heard() {
    static constexpr auto topics =
        std::to_array<std::string_view>({events::OrderCreated::type, events::OrderCancelled::type,
                                         events::OrderStatusUpdated::type});
    return topics;
}

Heard from_wire(const events::Event& event) {
    return std::visit([](const auto& one) { return read(one); }, event);
}

events::Event to_wire(domain::OrderId order_id, const domain::OrderReply& reply) {
    return std::visit([&](const auto& one) { return written(order_id, one); }, reply);
}

}  // namespace trackops::inventory::adapters
