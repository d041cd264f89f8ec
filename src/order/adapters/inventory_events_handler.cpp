#include "order/adapters/inventory_events_handler.hpp"

#include "events/decode.hpp"
#include "events/events.hpp"
#include "order/app/settle_reservations.hpp"
#include "platform/outbox/message_identity.hpp"
#include "platform/telemetry/batch_span.hpp"

namespace trackops::order::adapters {
namespace {

struct MappedReply {
    Uuid order;
    domain::ReservationOutcome answer;
    std::vector<domain::Shortage> shortages = {};
};

std::vector<domain::Shortage> shortages_of(const events::InventoryReservationFailed& failed) {
    std::vector<domain::Shortage> shortages;
    shortages.reserve(failed.items.size());
    for (const events::Shortage& item : failed.items)
        shortages.push_back({item.sku, item.requested, item.available, item.reason});
    return shortages;
}

Result<MappedReply> map_reply(const events::Event& event) {
    if (const auto* reserved = std::get_if<events::InventoryReserved>(&event))
        return MappedReply{reserved->order_id, domain::ReservationOutcome::reserved};
    if (const auto* released = std::get_if<events::InventoryReleased>(&event))
        return MappedReply{released->order_id, domain::ReservationOutcome::released};
    if (const auto* failed = std::get_if<events::InventoryReservationFailed>(&event)) {
        const bool of_shipment = failed->reason == "NOT_RESERVED";
        return MappedReply{failed->order_id,
                           of_shipment ? domain::ReservationOutcome::not_reserved
                                       : domain::ReservationOutcome::refused,
                           shortages_of(*failed)};
    }
    return fail(Errc::invalid, "not an event of inventory");
}

Result<app::ReservationReply> read_reply(const bus::Message& message) {
    auto identity = outbox::identity_of(message.header("ce_source"), message.header("ce_id"));
    if (!identity) return fail(Errc::invalid, "the header ce_id is missing");
    const events::Event event = TRY(events::decode(message.topic, message.value));
    MappedReply meaning = TRY(map_reply(event));
    const Trace trace{std::string(message.header("ce_correlationid")), std::move(identity->name),
                      std::string(message.header("traceparent")),
                      std::string(message.header("tracestate"))};
    return app::ReservationReply{domain::OrderId(meaning.order), identity->claim, meaning.answer,
                                 trace, std::move(meaning.shortages)};
}

std::string error_text(const Error& error) {
    std::string text = error.detail;
    for (const FieldError& fault : error.fields) text += "; " + fault.pointer + " " + fault.detail;
    return text;
}

// Only a message that is at fault itself becomes a dead letter. Every other failure is retried, so
// that no message is lost.
bus::Disposition disposition_of(const Error& error) {
    const bool at_fault = error.code == Errc::invalid || error.code == Errc::malformed ||
                          error.code == Errc::not_found;
    if (at_fault) return bus::DeadLetter{error_text(error)};
    return bus::RetryLater{error_text(error)};
}

}  // namespace

bus::Handler make_inventory_events_handler(
    app::OrderStore& store, const Clock& clock, const domain::SagaTimeouts& timeouts,
    std::function<void(std::span<const domain::Order>)> on_settled, telemetry::Tracer* tracer) {
    return [&store, &clock, timeouts, tracer,
            on_settled = std::move(on_settled)](std::span<const bus::Message> messages) {
        std::vector<bus::Disposition> dispositions(messages.size(), bus::Done{});
        std::vector<app::ReservationReply> replies;
        std::vector<std::size_t> positions;
        for (std::size_t i = 0; i < messages.size(); ++i) {
            auto reply = read_reply(messages[i]);
            if (reply) {
                replies.push_back(*std::move(reply));
                positions.push_back(i);
            } else {
                dispositions[i] = disposition_of(reply.error());
            }
        }
        std::vector<domain::Order> orders;
        auto results = [&] {
            const telemetry::BatchSpan span(tracer, "advance sagas",
                                            std::span<const app::ReservationReply>(replies));
            return app::settle_reservations(replies, store, clock, timeouts);
        }();
        for (std::size_t i = 0; i < results.size(); ++i) {
            if (results[i]) {
                orders.push_back(std::move(results[i]->order));
            } else {
                dispositions[positions[i]] = disposition_of(results[i].error());
            }
        }
        on_settled(orders);
        return dispositions;
    };
}

}  // namespace trackops::order::adapters
