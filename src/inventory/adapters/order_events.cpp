#include "inventory/adapters/order_events.hpp"

#include <array>
#include <utility>

#include "events/events.hpp"
#include "inventory/adapters/wire.hpp"
#include "inventory/app/handle_order_events.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::inventory::adapters {

namespace {

// Nothing: the message does not concern stock.
Result<std::optional<app::IncomingMessage>> read(const bus::Message& message) {
    const auto id = Uuid::parse(message.header("ce_id"));
    if (!id) return fail(Errc::malformed, "the header ce_id is no UUID");
    const events::Event event = TRY(events::decode(message.topic, message.value));
    auto meaning = TRY(from_wire(event));
    if (!meaning) return std::optional<app::IncomingMessage>();
    return app::IncomingMessage{*id, *std::move(meaning),
                                Trace{std::string(message.header("ce_correlationid")), id->text(),
                                      std::string(message.header("traceparent")),
                                      std::string(message.header("tracestate"))}};
}

std::string told(const Error& error) {
    std::string text = error.detail;
    for (const FieldError& fault : error.fields) text += "; " + fault.pointer + ": " + fault.detail;
    return text;
}

bus::Disposition disposition_of(const Result<app::Handled>& answer) {
    if (answer) {
        if (answer->dead_letter) return bus::DeadLetter{*answer->dead_letter};
        return bus::Done{};
    }
    // The data of this one message is at fault; anything else may pass.
    if (answer.error().code == Errc::invalid) return bus::DeadLetter{told(answer.error())};
    return bus::Again{told(answer.error())};
}

constexpr auto outcome_names = std::to_array<const char*>({"done", "dead_letter", "again"});
static_assert(outcome_names.size() == std::variant_size_v<bus::Disposition>);

void note(const bus::Message& message, const bus::Disposition& disposition) {
    const auto* dead = std::get_if<bus::DeadLetter>(&disposition);
    const auto* again = std::get_if<bus::Again>(&disposition);
    if (!dead && !again) return;
    telemetry::log(telemetry::Level::warn, "inventory.order_events",
                   dead ? "message cannot be handled" : "message must wait",
                   {{"topic", message.topic},
                    {"key", message.key},
                    {"reason", dead ? dead->reason : again->reason}});
}

}  // namespace

bus::Handler make_order_events_handler(OrderEvents parts) {
    std::array<telemetry::Counter*, outcome_names.size()> counters{};
    for (std::size_t i = 0; i < counters.size(); ++i) {
        counters[i] = &parts.metrics.counter("trackops_inventory_messages_total",
                                             "Order messages by what became of them.",
                                             {{"outcome", outcome_names[i]}});
    }
    return [parts = std::move(parts), counters](std::span<const bus::Message> messages) {
        std::vector<bus::Disposition> dispositions(messages.size(), bus::Done{});
        std::vector<app::IncomingMessage> heard;
        std::vector<std::size_t> places;  // of what was heard among the messages
        for (std::size_t i = 0; i < messages.size(); ++i) {
            auto incoming = read(messages[i]);
            if (!incoming) {
                dispositions[i] = bus::DeadLetter{told(incoming.error())};
            } else if (*incoming) {
                heard.push_back(**std::move(incoming));
                places.push_back(i);
            }
        }
        if (!heard.empty()) {
            const auto answers =
                app::handle_order_events(heard, parts.store, parts.clock, parts.ids);
            for (std::size_t i = 0; i < places.size(); ++i) {
                dispositions[places[i]] = disposition_of(answers[i]);
            }
            parts.replied();
        }
        for (std::size_t i = 0; i < messages.size(); ++i) {
            counters[dispositions[i].index()]->add();
            note(messages[i], dispositions[i]);
        }
        return dispositions;
    };
}

}  // namespace trackops::inventory::adapters
