// Fuzzes messages of the bus as the services read them: CloudEvents headers, then the event.
#include <stdexcept>

#include "events/decode.hpp"
#include "events/events.hpp"
#include "fuzz/promise.hpp"
#include "inventory/adapters/order_events_handler.hpp"
#include "order/adapters/inventory_events_handler.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::fuzz {
namespace {

// Accepts every command. Each store only counts the commands.
class Reservations final : public inventory::app::ReservationStore {
public:
    std::vector<Result<inventory::app::MessageResult>> handle(
        std::span<const inventory::app::IncomingMessage> messages, const Decide&,
        Instant) override {
        heard += messages.size();
        for (const auto& message : messages) {
            promise(message.trace.causation_id == cause, "a reply names its cause");
            for (const auto& line : message.message.lines)
                promise(line.quantity > 0, "a line asks for something");
        }
        return {messages.size(), inventory::app::MessageResult{}};
    }
    std::size_t heard = 0;
    std::string_view cause;  // the id of the message, as its sender wrote it
};

class Orders final : public order::app::OrderStore {
public:
    std::vector<Result<order::app::SaveResult>> update(
        std::span<const order::app::OrderChange> changes) override {
        heard += changes.size();
        return {changes.size(), order::app::SaveResult{}};
    }
    std::vector<Result<order::app::SaveResult>> add(
        std::span<const order::app::NewOrder>) override {
        unasked();
    }
    std::vector<Result<order::domain::Order>> find(
        std::span<const order::domain::OrderId>) override {
        unasked();
    }
    Result<std::vector<order::domain::Order>> settled(
        std::span<const order::domain::OrderId>) override {
        unasked();
    }
    Result<order::app::Page<order::domain::Order, order::domain::OrderId>> list(
        const order::app::OrderFilter&, std::optional<order::domain::OrderId>,
        std::size_t) override {
        unasked();
    }
    Result<order::app::Page<order::domain::Order, order::app::UpdatedCursor>> list_updated(
        const order::app::OrderFilter&, std::optional<order::app::UpdatedCursor>,
        std::size_t) override {
        unasked();
    }
    Result<std::vector<order::app::HistoryEntry>> timeline(order::domain::OrderId) override {
        unasked();
    }
    Result<order::app::SagaOfOrder> saga(order::domain::SagaId) override { unasked(); }
    Result<order::app::Page<order::app::SagaOfOrder, order::domain::SagaId>> sagas(
        const order::app::SagaFilter&, std::optional<order::domain::SagaId>, std::size_t) override {
        unasked();
    }
    Result<std::vector<order::domain::OrderId>> claim_due(Instant, Duration, std::size_t) override {
        unasked();
    }
    std::size_t heard = 0;

private:
    [[noreturn]] static void unasked() { throw std::logic_error("a message asks for updates"); }
};

constexpr std::string_view topics[] = {
    events::OrderCreated::type,      events::OrderStatusUpdated::type,
    events::OrderDelivered::type,    events::OrderCancelled::type,
    events::InventoryReserved::type, events::InventoryReservationFailed::type,
    events::InventoryReleased::type,
};

// Builds a message from a topic, lines "name: value" up to an empty one, and the value.
bus::Message message_of(std::string_view rest) {
    bus::Message message{.topic = std::string(topics[take_choice(rest, std::size(topics))])};
    for (auto line = take_line(rest); !line.empty(); line = take_line(rest)) {
        const std::string name(take_until(line, ':'));
        if (line.starts_with(' ')) line.remove_prefix(1);
        message.headers.push_back({name, std::string(line)});
    }
    message.value = rest;
    return message;
}

// Checks that the store was called, or that the message is a dead letter with a reason, or that the
// service ignores it.
void check(const bus::Handler& handler, const bus::Message& message, const std::size_t& heard) {
    const auto dispositions = handler({&message, 1});
    promise(dispositions.size() == 1, "a message has one disposition");
    promise(!std::holds_alternative<bus::RetryLater>(dispositions[0]),
            "bad bytes do not come again");
    const auto* dead = std::get_if<bus::DeadLetter>(&dispositions[0]);
    promise(!dead || !dead->reason.empty(), "a dead letter says why");
    promise(!dead || heard == 0, "what is dead was not handled");
    promise(heard == 0 ||
                (!message.header("ce_id").empty() && events::decode(message.topic, message.value)),
            "only a whole message is handled");
}

}  // namespace
}  // namespace trackops::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    telemetry::configure_log("fuzz", telemetry::Level::off, true);
    const bus::Message message = fuzz::message_of(fuzz::text_of(data, size));
    static telemetry::Registry metrics;
    const testing::FakeClock clock;
    testing::SeededIds ids;
    fuzz::Reservations reservations;
    reservations.cause = message.header("ce_id");
    fuzz::check(
        inventory::adapters::make_order_events_handler({reservations, clock, ids, metrics, [] {}}),
        message, reservations.heard);
    fuzz::Orders orders;
    fuzz::check(order::adapters::make_inventory_events_handler(orders, clock, {}, [](auto) {}),
                message, orders.heard);
    return 0;
}
