#include "inventory/adapters/order_events_handler.hpp"

#include <array>
#include <utility>

#include "events/decode.hpp"
#include "events/events.hpp"
#include "inventory/adapters/event_mapping.hpp"
#include "inventory/app/handle_order_events.hpp"
#include "platform/outbox/message_identity.hpp"
#include "platform/telemetry/batch_span.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::inventory::adapters {

namespace {

// Returns the message; nothing when it does not concern stock.
Result<std::optional<app::IncomingMessage>> read(const bus::Message& message) {
    auto identity = outbox::identity_of(message.header("ce_source"), message.header("ce_id"));
    if (!identity) return fail(Errc::malformed, "the header ce_id is missing");
    const events::Event event = TRY(events::decode(message.topic, message.value));
    auto meaning = TRY(to_order_message(event));
    if (!meaning) return std::optional<app::IncomingMessage>();
    return app::IncomingMessage{
        identity->claim, *std::move(meaning),
        Trace{std::string(message.header("ce_correlationid")), std::move(identity->name),
              std::string(message.header("traceparent")),
              std::string(message.header("tracestate"))}};
}

std::string error_text(const Error& error) {
    std::string text = error.detail;
    for (const FieldError& fault : error.fields) text += "; " + fault.pointer + ": " + fault.detail;
    return text;
}

bus::Disposition disposition_of(const Result<app::MessageResult>& answer) {
    if (answer) {
        if (answer->dead_letter) return bus::DeadLetter{*answer->dead_letter};
        return bus::Done{};
    }
    // Errc::invalid means that the data of this message is at fault. Any other error may pass.
    if (answer.error().code == Errc::invalid) return bus::DeadLetter{error_text(answer.error())};
    return bus::RetryLater{error_text(answer.error())};
}

constexpr auto outcome_names = std::to_array<const char*>({"done", "dead_letter", "again"});
static_assert(outcome_names.size() == std::variant_size_v<bus::Disposition>);

}  // namespace

bus::Handler make_order_events_handler(OrderEventsDependencies dependencies) {
    std::array<telemetry::Counter*, outcome_names.size()> counters{};
    for (std::size_t i = 0; i < counters.size(); ++i) {
        counters[i] = &dependencies.metrics.counter("trackops_inventory_messages_total",
                                                    "Order messages by what became of them.",
                                                    {{"outcome", outcome_names[i]}});
    }
    return [dependencies = std::move(dependencies),
            counters](std::span<const bus::Message> messages) {
        std::vector<bus::Disposition> dispositions(messages.size(), bus::Done{});
        std::vector<app::IncomingMessage> requests;
        std::vector<std::size_t> positions;  // the index in `messages` of each request
        for (std::size_t i = 0; i < messages.size(); ++i) {
            auto incoming = read(messages[i]);
            if (!incoming) {
                dispositions[i] = bus::DeadLetter{error_text(incoming.error())};
            } else if (*incoming) {
                requests.push_back(**std::move(incoming));
                positions.push_back(i);
            }
        }
        if (!requests.empty()) {
            const auto answers = [&] {
                const telemetry::BatchSpan span(dependencies.tracer, "reserve stock",
                                                std::span<const app::IncomingMessage>(requests));
                return app::handle_order_events(requests, dependencies.store, dependencies.clock,
                                                dependencies.ids);
            }();
            for (std::size_t i = 0; i < positions.size(); ++i) {
                dispositions[positions[i]] = disposition_of(answers[i]);
            }
            dependencies.on_replies_committed();
        }
        for (std::size_t i = 0; i < messages.size(); ++i) {
            counters[dispositions[i].index()]->add();
        }
        return dispositions;
    };
}

}  // namespace trackops::inventory::adapters
