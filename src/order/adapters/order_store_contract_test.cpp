// The contract of the order store, tested on both databases. The races are deterministic: the
// second writer commits inside the first one's change.
#include <atomic>
#include <set>
#include <thread>

#include "order/adapters/order_store_contract_fixture.hpp"

namespace trackops::order::adapters {
namespace {

TEST_P(OrderStoreContract, ReturnsThePlacedOrder) {
    app::PlaceOrder command = placing();
    command.terms.external_ref = "536365";
    command.terms.shipping_amount_minor = 390;
    const domain::Order order = place({command}).at(0).value().order;
    EXPECT_EQ(status_json(found(order.id)), status_json(order));
    EXPECT_EQ(found(order.id).terms.items, command.terms.items);
    EXPECT_EQ(found(order.id).terms.shipping_address, command.terms.shipping_address);
    EXPECT_EQ(found(order.id).terms.external_ref, "536365");
    EXPECT_EQ(found(order.id).total_amount_minor(), 6 * 255 + 100 + 390);
    EXPECT_EQ(found(order.id).created_at, clock_.now());
}

TEST_P(OrderStoreContract, SavesStateSagaHistoryAndEventTogether) {
    placed();
    EXPECT_EQ(counts(), (std::map<std::string, std::int64_t>{{"orders", 1},
                                                             {"order_items", 2},
                                                             {"order_history", 1},
                                                             {"saga_instances", 1},
                                                             {"saga_steps", 2},
                                                             {"outbox_events", 1},
                                                             {"processed_events", 0},
                                                             {"idempotency_keys", 0}}));
}

TEST_P(OrderStoreContract, ARefusedOrderDoesNotFailItsNeighbours) {
    app::PlaceOrder wrong = placing();
    wrong.terms.total_amount_minor = 1;
    const auto answers = place({placing(), wrong, placing()});
    EXPECT_TRUE(answers[0] && answers[2]);
    EXPECT_EQ(answers[1].error().code, Errc::invalid);
    EXPECT_EQ(count("orders"), 2);
}

TEST_P(OrderStoreContract, OneOrderThatTheDatabaseRefusesDoesNotFailItsNeighbours) {
    app::PlaceOrder wrong = placing();
    wrong.terms.delivery_instructions = std::string("a\0b", 3);  // PostgreSQL refuses NUL in text
    const auto answers = place({placing(), placing(), wrong, placing(), placing()});
    for (const std::size_t i : {0U, 1U, 3U, 4U}) EXPECT_TRUE(answers[i]) << i;
    EXPECT_EQ(answers[2].error().code, Errc::invalid);
    EXPECT_EQ(count("orders"), 4);
}

TEST_P(OrderStoreContract, AnswersAKeyOnceWhateverTheBatch) {
    const IdempotencyKey key{"anonymous POST /api/orders", "k", "f"};
    const auto together = place({placing(key), placing(), placing(key)});
    ASSERT_TRUE(together[0] && together[2]);
    ASSERT_TRUE(together[2]->recorded);
    EXPECT_EQ(together[2]->recorded->body, order_json(together[0]->order));
    const auto later = place({placing(key)});
    EXPECT_EQ(later.at(0).value().recorded, together[2]->recorded);
    EXPECT_EQ(count("orders"), 2);
    IdempotencyKey other_body = key;
    other_body.fingerprint = "g";
    EXPECT_EQ(place({placing(other_body)}).at(0).error().code, Errc::key_reused);
    EXPECT_EQ(count("orders"), 2);
}

TEST_P(OrderStoreContract, ThirtyTwoRequestsWithOneKeyMakeOneOrder) {
    const IdempotencyKey key{"anonymous POST /api/orders", "k", "f"};
    std::vector<std::string> bodies(32);
    {
        std::vector<std::jthread> twins;
        for (std::string& body : bodies) {
            twins.emplace_back([this, &body, key] {
                auto placed = place({placing(key)}).at(0);
                while (!placed && placed.error().code == Errc::unavailable)  // no free connection
                    placed = place({placing(key)}).at(0);
                const app::SaveResult& receipt = placed.value();
                body = receipt.recorded ? receipt.recorded->body : order_json(receipt.order);
            });
        }
    }
    EXPECT_EQ(std::set(bodies.begin(), bodies.end()).size(), 1U);
    EXPECT_EQ(count("orders"), 1);
    EXPECT_EQ(count("outbox_events"), 1);
}

TEST_P(OrderStoreContract, ChangesOnceACause) {
    const domain::Order order = placed();
    const Uuid message = ids_.next();
    EXPECT_EQ(
        answer(order.id, domain::ReservationOutcome::reserved, message).at(0).value().order.status,
        domain::Status::confirmed);
    const auto before = counts();
    EXPECT_EQ(
        answer(order.id, domain::ReservationOutcome::reserved, message).at(0).value().order.status,
        domain::Status::confirmed);
    EXPECT_EQ(counts(), before);
    EXPECT_EQ(before.at("processed_events"), 1);
}

TEST_P(OrderStoreContract, ADoubledMessageInOneBatchCountsOnce) {
    const domain::Order order = placed();
    const Uuid message = ids_.next();
    const std::vector<app::ReservationReply> replies(
        3, {order.id, message, domain::ReservationOutcome::reserved, {}});
    for (const auto& receipt : app::settle_reservations(replies, *store_, clock_, {}))
        EXPECT_EQ(receipt.value().order.version, 2);
    EXPECT_EQ(count("outbox_events"), 2);
    EXPECT_EQ(count("processed_events"), 1);
}

TEST_P(OrderStoreContract, KeepsNothingOfARefusedChange) {
    const domain::Order order = placed();
    const auto before = counts();
    const IdempotencyKey key{"anonymous POST ship", "k", "f"};
    EXPECT_EQ(change(order.id, domain::Action::ship, key).error().code, Errc::illegal_transition);
    for (const std::int64_t version : {0, 2})
        EXPECT_EQ(change(order.id, domain::Action::cancel, {}, version).error().code,
                  Errc::precondition_failed);
    EXPECT_EQ(change(domain::OrderId(ids_.next()), domain::Action::cancel).error().code,
              Errc::not_found);
    EXPECT_EQ(counts(), before);
    EXPECT_TRUE(change(order.id, domain::Action::cancel, {}, 1));
}

TEST_P(OrderStoreContract, AppliesTwoChangesOfOneOrderOneAfterTheOther) {
    const domain::Order order = placed();
    answer(order.id, domain::ReservationOutcome::reserved, ids_.next());
    const std::vector<app::ChangeOrder> commands = {
        {order.id, domain::Command{domain::Action::process, "", {}}, "anonymous", {}, {}, {}},
        {order.id, domain::Command{domain::Action::process, "", {}}, "anonymous", {}, {}, {}},
        {order.id,
         domain::Command{domain::Action::ship, "", domain::Shipment{"DHL", "1"}},
         "anonymous",
         {},
         {},
         {}}};
    const auto answers = app::change_orders(commands, *store_, clock_, ids_, {});
    EXPECT_EQ(answers[0].value().order.status, domain::Status::processing);
    EXPECT_EQ(answers[1].error().code, Errc::illegal_transition);
    EXPECT_EQ(answers[2].value().order.status, domain::Status::shipped);
    EXPECT_EQ(found(order.id).version, 4);
    const auto timeline = store_->timeline(order.id).value();
    ASSERT_EQ(timeline.size(), 4U);
    EXPECT_EQ(timeline[3].type, "ORDER_SHIPPED");
    EXPECT_EQ(timeline[3].before, domain::Status::processing);
    EXPECT_EQ(timeline[3].after, domain::Status::shipped);
    EXPECT_GT(timeline[3].revision, timeline[2].revision);
}

TEST_P(OrderStoreContract, SavesChangedDetailsWithAnEventOfTheirOwn) {
    const domain::Order order = placed();
    const auto other_address = [](const domain::OrderDetails& current) {
        domain::OrderDetails wanted = current;
        wanted.shipping_address.city = "Leeds";
        wanted.delivery_instructions = "ring";
        wanted.external_ref = "R-2";
        wanted.metadata = "{}";
        wanted.shipment = domain::Shipment{{}, "T-1"};
        return Result<domain::OrderDetails>(wanted);
    };
    const std::vector<app::ChangeOrder> commands = {
        {order.id, app::ChangeDetails{other_address}, "ada", {"c", "c", "", ""}, {}, {}},
        {order.id, domain::Command{domain::Action::cancel, "", {}}, "ada", {}, {}, {}}};
    for (const auto& answer : app::change_orders(commands, *store_, clock_, ids_, {}))
        ASSERT_TRUE(answer) << answer.error().detail;
    const domain::Order saved = found(order.id);
    EXPECT_EQ(domain::details_of(saved), other_address(domain::details_of(order)).value());
    EXPECT_EQ(saved.version, 4);
    const auto timeline = store_->timeline(order.id).value();
    ASSERT_EQ(timeline.size(), 4U);
    EXPECT_EQ(timeline[1].type, "ORDER_DETAILS_CHANGED");
    EXPECT_EQ(timeline[1].changed,
              (std::vector<std::string>{"shippingAddress", "deliveryInstructions", "externalRef",
                                        "metadata"}));
    EXPECT_EQ(timeline[2].type, "SHIPMENT_CORRECTED");
    EXPECT_EQ(timeline[3].type, "ORDER_CANCELLED");
    EXPECT_EQ(count("outbox_events WHERE type = 'ORDER_UPDATED'"), 2);
    EXPECT_EQ(count("order_history WHERE CAST(payload AS TEXT) LIKE '%Leeds%'"), 0)
        << "the history names no place";
}

// The second writer saves while the change of the first one runs.
TEST_P(OrderStoreContract, NeverOverwritesAConcurrentChange) {
    const domain::Order order = placed();
    bool overtaken = false;
    const std::vector<app::OrderChange> confirming = {
        {order.id,
         ids_.next(),
         "test",
         {},
         {},
         [&](domain::OrderAggregate& record) -> Result<void> {
             if (!std::exchange(overtaken, true)) {
                 EXPECT_TRUE(change(order.id, domain::Action::cancel));
             }
             if (record.order.status != domain::Status::pending)
                 return fail(Errc::illegal_transition, "too late");
             domain::apply_reservation_outcome(record, domain::ReservationOutcome::reserved,
                                               {clock_.now(), "inventory", {}, {}});
             return {};
         }}};
    const auto first = store_->update(confirming);
    EXPECT_EQ(first.at(0).error().code, Errc::illegal_transition);
    EXPECT_EQ(found(order.id).status, domain::Status::cancelled);
    EXPECT_EQ(found(order.id).version, 2);
    EXPECT_EQ(count("outbox_events"), 2);
}

// The reply for a saga is saved while the saga timer's change runs. The order itself does not
// change, so only the revision reveals the conflict.
TEST_P(OrderStoreContract, NeverOverwritesAConcurrentChangeOfASaga) {
    const domain::Order order = placed();
    ASSERT_TRUE(change(order.id, domain::Action::cancel));
    clock_.advance(std::chrono::seconds(30));
    bool overtaken = false;
    const std::vector<app::OrderChange> looking = {
        {order.id,
         ids_.next(),
         "saga-clock",
         {},
         {},
         [&](domain::OrderAggregate& record) -> Result<void> {
             if (!std::exchange(overtaken, true)) {
                 answer(order.id, domain::ReservationOutcome::released, ids_.next());
             }
             on_timer(record, {}, {clock_.now(), "saga", {}, {}});
             return {};
         }}};
    EXPECT_TRUE(store_->update(looking).at(0));
    EXPECT_EQ(saga_of(order.id).status, domain::SagaStatus::compensated);
    EXPECT_EQ(count("outbox_events"), 2);  // no event is sent again after the reply
}

TEST_P(OrderStoreContract, RepeatsACancellationInTheNameOfItsOwnActor) {
    std::vector<app::ChangeOrder> cancelling;
    std::vector<app::OrderChange> looking;
    for (const char* actor : {"ada", "bob"}) {
        const domain::OrderId id = placed().id;
        cancelling.push_back(
            {id, domain::Command{domain::Action::cancel, "", {}}, actor, {}, {}, {}});
        looking.push_back(
            {id, ids_.next(), "sagas", {}, {}, [&](domain::OrderAggregate& record) -> Result<void> {
                 on_timer(record, {}, {clock_.now() + std::chrono::minutes(1), "saga", {}, {}});
                 return {};
             }});
    }
    for (const auto& answer : app::change_orders(cancelling, *store_, clock_, ids_, {}))
        ASSERT_TRUE(answer);
    for (const auto& answer : store_->update(looking)) ASSERT_TRUE(answer);
    const auto tx = database_->begin(sql::Access::read);
    const auto& rows = tx->add({.name = "test.events",
                                .text = "SELECT payload FROM outbox_events WHERE type = "
                                        "'ORDER_CANCELLED' ORDER BY position"},
                               {});
    tx->flush();
    ASSERT_EQ(rows.rows().size(), 4U) << "each twice";
    for (std::size_t i = 0; i < 4; ++i) {
        const std::string by = i % 2 == 0 ? R"("cancelledBy":"ada")" : R"("cancelledBy":"bob")";
        EXPECT_NE(rows.rows()[i].text(0).find(by), std::string::npos) << rows.rows()[i].text(0);
    }
}

// The commit succeeds and its answer is lost.
TEST_P(OrderStoreContract, PlacesOnceWhenTheAnswerOfTheCommitIsLost) {
    testing::LossyDatabase lossy(*database_);
    const auto store = make_sql_order_store(lossy, clock_, ids_, metrics_, recorded_response);
    const IdempotencyKey key{"anonymous POST /api/orders", "k", "f"};
    lossy.lose = 1;
    const auto answers = app::place_orders(std::vector{placing(), placing(key), placing()}, *store,
                                           clock_, ids_, {});
    EXPECT_EQ(lossy.lose, 0);
    for (const auto& answer : answers) EXPECT_TRUE(answer);
    EXPECT_EQ(count("orders"), 3);
    EXPECT_EQ(count("order_items"), 6);
    EXPECT_EQ(count("outbox_events"), 3);
    EXPECT_EQ(count("idempotency_keys"), 1);
}

TEST_P(OrderStoreContract, ChangesOnceWhenTheAnswerOfTheCommitIsLost) {
    const domain::Order order = placed();
    testing::LossyDatabase lossy(*database_);
    const auto store = make_sql_order_store(lossy, clock_, ids_, metrics_, recorded_response);
    lossy.lose = 2;
    const std::vector<app::ChangeOrder> cancelling = {
        {order.id, domain::Command{domain::Action::cancel, "", {}}, "anonymous", {}, {}, {}}};
    EXPECT_EQ(app::change_orders(cancelling, *store, clock_, ids_, {}).at(0).value().order.status,
              domain::Status::cancelled);
    EXPECT_EQ(lossy.lose, 1);  // the second run finds the cause handled and writes nothing
    EXPECT_EQ(count("outbox_events"), 2);
}

// Both handle the same message. The second one commits while the change of the first one runs.
TEST_P(OrderStoreContract, TwoHandlersOfOneMessageHaveOneEffect) {
    const domain::Order order = placed();
    const Uuid message = ids_.next();
    bool overtaken = false;
    const std::vector<app::OrderChange> handling = {
        {order.id,
         message,
         "trackops-orders",
         {},
         {},
         [&](domain::OrderAggregate& record) -> Result<void> {
             if (!std::exchange(overtaken, true))
                 answer(order.id, domain::ReservationOutcome::reserved, message);
             domain::apply_reservation_outcome(record, domain::ReservationOutcome::reserved,
                                               {clock_.now(), "inventory", {}, {}});
             return {};
         }}};
    EXPECT_EQ(store_->update(handling).at(0).value().order.version, 2);
    EXPECT_EQ(count("outbox_events"), 2);
    EXPECT_EQ(count("processed_events"), 1);
}

TEST_P(OrderStoreContract, NumbersTheEventsOfAnOrderWithoutGaps) {
    const domain::Order order = placed();
    answer(order.id, domain::ReservationOutcome::reserved, ids_.next());
    ASSERT_TRUE(change(order.id, domain::Action::process));
    ASSERT_TRUE(change(order.id, domain::Action::cancel));
    const auto tx = database_->begin(sql::Access::read);
    const auto& rows =
        tx->add({.name = "test.events",
                 .text = "SELECT type, sequence, event_id FROM outbox_events ORDER BY position"},
                {});
    tx->flush();
    std::vector<std::string> types;
    std::set<Uuid> ids;
    for (const sql::Row& row : rows.rows()) {
        types.push_back(row.text(0));
        EXPECT_EQ(row.integer(1), static_cast<std::int64_t>(types.size()));
        ids.insert(row.uuid(2));
    }
    EXPECT_EQ(types, (std::vector<std::string>{"ORDER_CREATED", "ORDER_STATUS_UPDATED",
                                               "ORDER_STATUS_UPDATED", "ORDER_CANCELLED"}));
    EXPECT_EQ(ids.size(), 4U);
}

TEST_P(OrderStoreContract, RacingWritersNeverSkipAVersion) {
    const domain::Order order = placed();
    answer(order.id, domain::ReservationOutcome::reserved, ids_.next());
    std::atomic<int> won = 0;
    {
        std::vector<std::jthread> writers;
        for (int i = 0; i < 8; ++i) {
            writers.emplace_back([&] {
                if (change(order.id, domain::Action::cancel)) ++won;
            });
        }
    }
    EXPECT_EQ(won, 1);
    EXPECT_EQ(found(order.id).version, 3);
    EXPECT_EQ(count("order_history"), 3);
}

INSTANTIATE_TEST_SUITE_P(Databases, OrderStoreContract, ::testing::ValuesIn(testing::databases),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace trackops::order::adapters
