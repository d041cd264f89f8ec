#include "order/adapters/inventory_events.hpp"

#include "events/events.hpp"
#include "order/app/settle_reservations.hpp"

namespace trackops::order::adapters {
namespace {

struct Meaning {
    Uuid order;
    domain::StockAnswer answer;
};

Result<Meaning> meaning_of(const events::Event& event) {
    if (const auto* reserved = std::get_if<events::InventoryReserved>(&event))
        return Meaning{reserved->order_id, domain::StockAnswer::reserved};
    if (const auto* released = std::get_if<events::InventoryReleased>(&event))
        return Meaning{released->order_id, domain::StockAnswer::released};
    if (const auto* failed = std::get_if<events::InventoryReservationFailed>(&event)) {
        const bool of_shipment = failed->reason == "NOT_RESERVED";
        return Meaning{failed->order_id, of_shipment ? domain::StockAnswer::not_reserved
                                                     : domain::StockAnswer::refused};
    }
    return fail(Errc::invalid, "not an event of inventory");
}

Result<app::ReservationReply> read_reply(const bus::Message& message) {
    const auto id = Uuid::parse(message.header("ce_id"));
    if (!id) return fail(Errc::invalid, "the header ce_id is no UUID");
    const events::Event event = TRY(events::decode(message.topic, message.value));
    const Meaning meaning = TRY(meaning_of(event));
    const Trace trace{std::string(message.header("ce_correlationid")), id->text(),
                      std::string(message.header("traceparent")),
                      std::string(message.header("tracestate"))};
    return app::ReservationReply{domain::OrderId(meaning.order), *id, meaning.answer, trace};
}

std::string explain(const Error& error) {
    std::string text = error.detail;
    for (const FieldError& fault : error.fields) text += "; " + fault.pointer + " " + fault.detail;
    return text;
}

// Only what the message itself is to blame for is put aside; everything else is tried again, so
// that nothing is lost.
bus::Disposition disposition_of(const Error& error) {
    const bool at_fault = error.code == Errc::invalid || error.code == Errc::malformed ||
                          error.code == Errc::not_found;
    if (at_fault) return bus::DeadLetter{explain(error)};
    return bus::Again{explain(error)};
}

}  // namespace

bus::Handler handle_inventory_events(
    app::OrderStore& store, const Clock& clock, const domain::Patience& patience,
    std::function<void(std::span<const domain::Order>)> on_settled) {
    return [&store, &clock, patience,
            on_settled = std::move(on_settled)](std::span<const bus::Message> messages) {
        std::vector<bus::Disposition> dispositions(messages.size(), bus::Done{});
        std::vector<app::ReservationReply> replies;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < messages.size(); ++i) {
            auto reply = read_reply(messages[i]);
            if (reply) {
                replies.push_back(*std::move(reply));
                places.push_back(i);
            } else {
                dispositions[i] = disposition_of(reply.error());
            }
        }
        std::vector<domain::Order> orders;
        auto receipts = app::settle_reservations(replies, store, clock, patience);
        for (std::size_t i = 0; i < receipts.size(); ++i) {
            if (receipts[i]) {
                orders.push_back(std::move(receipts[i]->order));
            } else {
                dispositions[places[i]] = disposition_of(receipts[i].error());
            }
        }
        on_settled(orders);
        return dispositions;
    };
}

}  // namespace trackops::order::adapters
