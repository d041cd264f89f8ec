// The correlation, causation and trace of a change pass into each event that it records.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/encode.hpp"
#include "events/events.hpp"
#include "order/adapters/api_at_hand_test.hpp"
#include "order/adapters/inventory_events_handler.hpp"
#include "order/app/advance_sagas.hpp"
#include "testing/query_column.hpp"

namespace trackops::order::adapters {
namespace {

using ::testing::ElementsAre;

class OrderTraces : public ::testing::TestWithParam<std::string> {
protected:
    OrderTraces() { come_from("one"); }

    // Sets the correlation id and the trace of the requests that follow.
    void come_from(const std::string& name) {
        at_hand.calls.origin.context.correlation_id = "correlation of " + name;
        at_hand.calls.origin.context.traceparent = "parent of " + name;
        at_hand.calls.origin.context.tracestate = "state of " + name;
    }
    static std::string of_request(const std::string& type, const std::string& name) {
        return fmt::format("{} correlation of {} correlation of {} parent of {} state of {}", type,
                           name, name, name, name);
    }
    // Returns each event with correlation, causation, traceparent and tracestate.
    std::vector<std::string> events() {
        return testing::query_column(
            *at_hand.database,
            "SELECT type || ' ' || correlation_id || ' ' || causation_id || ' ' || traceparent || "
            "' ' || tracestate FROM outbox_events ORDER BY position");
    }
    bus::Message message(const events::Event& event, const std::string& name) {
        return {.topic = std::string(events::type_of(event)),
                .value = events::encode(event),
                .headers = {{"ce_id", at_hand.ids.next().text()},
                            {"ce_correlationid", "correlation of " + name},
                            {"ce_causationid", "of no concern"},
                            {"traceparent", "parent of " + name},
                            {"tracestate", "state of " + name}}};
    }
    void hear(const std::vector<bus::Message>& messages) {
        for (const auto& answer : handler(messages))
            EXPECT_TRUE(std::holds_alternative<bus::Done>(answer));
    }
    Uuid order_of(const std::string& path) { return ApiAtHand::id_of(path).uuid; }

    ApiAtHand at_hand{GetParam()};
    const domain::SagaTimeouts timeouts;
    const bus::Handler handler =
        make_inventory_events_handler(*at_hand.store, at_hand.clock, timeouts, [](auto) {});
};

TEST_P(OrderTraces, OfARequestAreThoseOfItsEvents) {
    const std::string path = at_hand.placed();
    at_hand.settle(path, domain::ReservationOutcome::reserved);
    std::vector<std::string> expected = {of_request("ORDER_CREATED", "one"),
                                         "ORDER_STATUS_UPDATED    "};
    for (const auto& [action, type] :
         {std::pair{"process", "ORDER_STATUS_UPDATED"}, std::pair{"ship", "ORDER_STATUS_UPDATED"},
          std::pair{"deliver", "ORDER_DELIVERED"}}) {
        come_from(action);
        ASSERT_EQ(at_hand.call("POST", path + "/" + action).status, 200);
        expected.push_back(of_request(type, action));
    }
    const std::string other = at_hand.placed();
    expected.push_back(of_request("ORDER_CREATED", "deliver"));
    come_from("cancel");
    ASSERT_EQ(at_hand.call("DELETE", other).status, 200);
    expected.push_back(of_request("ORDER_CANCELLED", "cancel"));
    EXPECT_EQ(events(), expected);
}

TEST_P(OrderTraces, OfAnAnswerOfInventoryAreThoseOfTheNextEvent) {
    const std::string reserved = at_hand.placed();
    const std::string refused = at_hand.placed();
    const std::vector<bus::Message> messages = {
        message(events::InventoryReserved{order_of(reserved), at_hand.ids.next(), {{"A", 2}}, {}},
                "reserved"),
        message(events::InventoryReservationFailed{order_of(refused), "OUT_OF_STOCK", {}},
                "refused")};
    hear(messages);
    const auto of_message = [&](const std::string& type, std::size_t i, const std::string& name) {
        return fmt::format("{} correlation of {} {} parent of {} state of {}", type, name,
                           messages[i].header("ce_id"), name, name);
    };
    auto caused = events();
    caused.erase(caused.begin(), caused.begin() + 2);
    EXPECT_THAT(caused,
                ::testing::UnorderedElementsAre(of_message("ORDER_STATUS_UPDATED", 0, "reserved"),
                                                of_message("ORDER_CANCELLED", 1, "refused")));
    EXPECT_EQ(at_hand.found(reserved).status, domain::Status::confirmed);
    EXPECT_EQ(at_hand.found(refused).cancel_reason, "OUT_OF_STOCK");
}

// No request caused this change: it has an id of its own, which is both cause and correlation id.
TEST_P(OrderTraces, OfTheSagaClockAreACauseOfItsOwn) {
    at_hand.placed();
    at_hand.clock.advance(std::chrono::seconds(30));
    const app::SagaSweepOptions round{.relay_lag = [] { return Duration::zero(); }};
    ASSERT_EQ(
        app::advance_sagas(round, *at_hand.store, at_hand.clock, at_hand.ids, timeouts)->size(),
        1U);
    const auto causes = testing::query_column(
        *at_hand.database, "SELECT CAST(event_id AS TEXT) FROM processed_events");
    ASSERT_EQ(causes.size(), 1U);
    EXPECT_THAT(events(), ElementsAre(of_request("ORDER_CREATED", "one"),
                                      fmt::format("ORDER_CREATED {} {}  ", causes[0], causes[0])));
}

TEST_P(OrderTraces, MeanNothingToAMessageThatCannotBeRead) {
    const std::string path = at_hand.placed();
    auto nameless = message(
        events::InventoryReserved{order_of(path), at_hand.ids.next(), {{"A", 2}}, {}}, "nobody");
    nameless.headers.erase(nameless.headers.begin());
    auto broken =
        message(events::InventoryReleased{order_of(path), at_hand.ids.next(), {}, ""}, "nobody");
    broken.value = "{";
    const auto of_none = message(
        events::InventoryReserved{at_hand.ids.next(), at_hand.ids.next(), {{"A", 2}}, {}}, "x");
    const auto of_ours = message(events::OrderDelivered{order_of(path), 2, {}}, "x");
    const auto good = message(
        events::InventoryReserved{order_of(path), at_hand.ids.next(), {{"A", 2}}, {}}, "one");
    const std::vector<bus::Message> batch = {nameless, broken, of_none, good, of_ours};
    const auto answers = handler(batch);
    ASSERT_EQ(answers.size(), batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i)
        EXPECT_EQ(std::holds_alternative<bus::DeadLetter>(answers[i]), i != 3) << i;
    EXPECT_EQ(at_hand.found(path).status, domain::Status::confirmed);
}

INSTANTIATE_TEST_SUITE_P(Databases, OrderTraces, ::testing::ValuesIn(testing::databases),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace trackops::order::adapters
