// What every order store promises, asked of both databases. Races are played by two writers with no
// luck in it.
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "order/adapters/order_json.hpp"
#include "order/adapters/sql_order_store.hpp"
#include "order/app/advance_sagas.hpp"
#include "order/app/change_orders.hpp"
#include "order/app/place_orders.hpp"
#include "order/app/settle_reservations.hpp"
#include "order/migrations.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/idempotency/keys.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"
#include "testing/lossy_database.hpp"

namespace trackops::order {
namespace {

Draft draft(std::string sku = "85123A") {
    Draft draft;
    draft.customer = CustomerId(uuid_v7({1}, 2, 3));
    draft.currency = "GBP";
    draft.items = {{sku, "Holder", 6, 255}, {"b", {}, 1, 100}};
    draft.shipping_address = {"Ada", "1 High St", {}, "London", {}, "N1", "GB", {}};
    draft.metadata = R"({"a": 1})";
    return draft;
}

class OrderStoreContract : public ::testing::TestWithParam<std::string> {
protected:
    OrderStoreContract()
        : at_hand_(GetParam()), database_(backends::open_database(at_hand_.url(), {}, metrics_)) {
        sql::migrate(*database_, "outbox", outbox::migrations);
        sql::migrate(*database_, "idempotency", idempotency::migrations);
        sql::migrate(*database_, "order", migrations);
        store_ = make_sql_order_store(*database_, clock_, ids_);
    }

    PlaceOrder placing(std::optional<IdempotencyKey> key = {}) {
        return {draft(), "anonymous", {"c", "c", "", ""}, std::move(key)};
    }
    std::vector<Result<Receipt>> place(std::vector<PlaceOrder> commands) {
        return place_orders(commands, *store_, clock_, ids_, {});
    }
    Order placed() { return place({placing()}).at(0).value().order; }
    Result<Receipt> change(OrderId id, Action action, std::optional<IdempotencyKey> key = {},
                           std::optional<std::int64_t> version = {}) {
        return change_orders(
                   std::vector<ChangeOrder>{
                       {id, {action, "", {}}, "anonymous", {}, std::move(key), version}},
                   *store_, clock_, ids_, {})
            .at(0);
    }
    std::vector<Result<Receipt>> answer(OrderId id, StockAnswer answer, Uuid message) {
        return settle_reservations(std::vector<ReservationReply>{{id, message, answer, {}}},
                                   *store_, clock_, {});
    }
    Order found(OrderId id) { return store_->find(std::vector{id}).at(0).value(); }
    Saga saga_of(OrderId id, SagaType type = SagaType::fulfilment) {
        return store_->sagas({.status = {}, .type = type, .order = id}, {}, 1)
            .value()
            .items.at(0)
            .saga;
    }
    std::int64_t count(const std::string& table) {
        const auto tx = database_->begin(sql::Access::read);
        const std::string text = "SELECT count(*) FROM " + table;
        const auto& statement = tx->add({.name = "test.count", .text = text}, {});
        tx->flush();
        return statement.rows().at(0).integer(0);
    }
    std::map<std::string, std::int64_t> counts() {
        std::map<std::string, std::int64_t> all;
        for (const char* table :
             {"orders", "order_items", "order_history", "saga_instances", "saga_steps",
              "outbox_events", "processed_events", "idempotency_keys"}) {
            all[table] = count(table);
        }
        return all;
    }

    telemetry::Registry metrics_;
    testing::FakeClock clock_;
    testing::SeededIds ids_;
    testing::FreshDatabase at_hand_;
    std::unique_ptr<sql::Database> database_;
    std::unique_ptr<OrderStore> store_;
};

TEST_P(OrderStoreContract, GivesBackWhatWasPlaced) {
    PlaceOrder command = placing();
    command.draft.external_ref = "536365";
    command.draft.shipping_amount_minor = 390;
    const Order order = place({command}).at(0).value().order;
    EXPECT_EQ(status_json(found(order.id)), status_json(order));
    EXPECT_EQ(found(order.id).agreed.items, command.draft.items);
    EXPECT_EQ(found(order.id).agreed.shipping_address, command.draft.shipping_address);
    EXPECT_EQ(found(order.id).agreed.external_ref, "536365");
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
    PlaceOrder wrong = placing();
    wrong.draft.total_amount_minor = 1;
    const auto answers = place({placing(), wrong, placing()});
    EXPECT_TRUE(answers[0] && answers[2]);
    EXPECT_EQ(answers[1].error().code, Errc::invalid);
    EXPECT_EQ(count("orders"), 2);
}

TEST_P(OrderStoreContract, OneOrderThatTheDatabaseRefusesDoesNotFailItsNeighbours) {
    PlaceOrder wrong = placing();
    wrong.draft.delivery_instructions = std::string("a\0b", 3);  // no text in PostgreSQL
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

TEST_P(OrderStoreContract, ThirtyTwoTwinsMakeOneOrder) {
    const IdempotencyKey key{"anonymous POST /api/orders", "k", "f"};
    std::vector<std::string> bodies(32);
    {
        std::vector<std::jthread> twins;
        for (std::string& body : bodies) {
            twins.emplace_back([this, &body, key] {
                auto placed = place({placing(key)}).at(0);
                while (!placed && placed.error().code == Errc::unavailable)  // no connection free
                    placed = place({placing(key)}).at(0);
                const Receipt& receipt = placed.value();
                body = receipt.recorded ? receipt.recorded->body : order_json(receipt.order);
            });
        }
    }
    EXPECT_EQ(std::set(bodies.begin(), bodies.end()).size(), 1U);
    EXPECT_EQ(count("orders"), 1);
    EXPECT_EQ(count("outbox_events"), 1);
}

TEST_P(OrderStoreContract, ChangesOnceACause) {
    const Order order = placed();
    const Uuid message = ids_.next();
    EXPECT_EQ(answer(order.id, StockAnswer::reserved, message).at(0).value().order.status,
              Status::confirmed);
    const auto before = counts();
    EXPECT_EQ(answer(order.id, StockAnswer::reserved, message).at(0).value().order.status,
              Status::confirmed);
    EXPECT_EQ(counts(), before);
    EXPECT_EQ(before.at("processed_events"), 1);
}

TEST_P(OrderStoreContract, ADoubledMessageInOneBatchCountsOnce) {
    const Order order = placed();
    const Uuid message = ids_.next();
    const std::vector<ReservationReply> replies(3, {order.id, message, StockAnswer::reserved, {}});
    for (const auto& receipt : settle_reservations(replies, *store_, clock_, {}))
        EXPECT_EQ(receipt.value().order.version, 2);
    EXPECT_EQ(count("outbox_events"), 2);
    EXPECT_EQ(count("processed_events"), 1);
}

TEST_P(OrderStoreContract, KeepsNothingOfARefusedChange) {
    const Order order = placed();
    const auto before = counts();
    const IdempotencyKey key{"anonymous POST ship", "k", "f"};
    EXPECT_EQ(change(order.id, Action::ship, key).error().code, Errc::illegal_transition);
    for (const std::int64_t version : {0, 2})
        EXPECT_EQ(change(order.id, Action::cancel, {}, version).error().code,
                  Errc::precondition_failed);
    EXPECT_EQ(change(OrderId(ids_.next()), Action::cancel).error().code, Errc::not_found);
    EXPECT_EQ(counts(), before);
    EXPECT_TRUE(change(order.id, Action::cancel, {}, 1));
}

TEST_P(OrderStoreContract, AppliesTwoChangesOfOneOrderOneAfterTheOther) {
    const Order order = placed();
    answer(order.id, StockAnswer::reserved, ids_.next());
    const std::vector<ChangeOrder> commands = {
        {order.id, {Action::process, "", {}}, "anonymous", {}, {}, {}},
        {order.id, {Action::process, "", {}}, "anonymous", {}, {}, {}},
        {order.id, {Action::ship, "", Shipment{"DHL", "1"}}, "anonymous", {}, {}, {}}};
    const auto answers = change_orders(commands, *store_, clock_, ids_, {});
    EXPECT_EQ(answers[0].value().order.status, Status::processing);
    EXPECT_EQ(answers[1].error().code, Errc::illegal_transition);
    EXPECT_EQ(answers[2].value().order.status, Status::shipped);
    EXPECT_EQ(found(order.id).version, 4);
    const auto timeline = store_->timeline(order.id).value();
    ASSERT_EQ(timeline.size(), 4U);
    EXPECT_EQ(timeline[3].change.to, Status::shipped);
    EXPECT_NE(timeline[2].cause, timeline[3].cause);
}

// The second writer saves while the first one thinks.
TEST_P(OrderStoreContract, SavesOverNobody) {
    const Order order = placed();
    bool overtaken = false;
    const std::vector<OrderChange> confirming = {
        {order.id, ids_.next(), "test", {}, {}, [&](OrderRecord& record) -> Result<void> {
             if (!std::exchange(overtaken, true)) {
                 EXPECT_TRUE(change(order.id, Action::cancel));
             }
             if (record.order.status != Status::pending)
                 return fail(Errc::illegal_transition, "too late");
             settle(record, StockAnswer::reserved, {clock_.now(), "inventory", {}, {}});
             return {};
         }}};
    const auto first = store_->update(confirming);
    EXPECT_EQ(first.at(0).error().code, Errc::illegal_transition);
    EXPECT_EQ(found(order.id).status, Status::cancelled);
    EXPECT_EQ(found(order.id).version, 2);
    EXPECT_EQ(count("outbox_events"), 2);
}

// The clock looks at a saga whose answer arrives while it thinks: nothing of the order itself
// changes, so only the revision knows.
TEST_P(OrderStoreContract, SavesOverNobodysSaga) {
    const Order order = placed();
    ASSERT_TRUE(change(order.id, Action::cancel));
    clock_.advance(std::chrono::seconds(30));
    bool overtaken = false;
    const std::vector<OrderChange> looking = {
        {order.id, ids_.next(), "saga-clock", {}, {}, [&](OrderRecord& record) -> Result<void> {
             if (!std::exchange(overtaken, true)) {
                 answer(order.id, StockAnswer::released, ids_.next());
             }
             look_at_clock(record, {}, {clock_.now(), "saga", {}, {}});
             return {};
         }}};
    EXPECT_TRUE(store_->update(looking).at(0));
    EXPECT_EQ(saga_of(order.id).status, SagaStatus::compensated);
    EXPECT_EQ(count("outbox_events"), 2);  // nothing is sent again to what was answered
}

// The third outcome of a commit: it happened, and nobody was told.
TEST_P(OrderStoreContract, PlacesOnceWhenTheAnswerOfTheCommitIsLost) {
    testing::LossyDatabase lossy(*database_);
    const auto store = make_sql_order_store(lossy, clock_, ids_);
    const IdempotencyKey key{"anonymous POST /api/orders", "k", "f"};
    lossy.lose = 1;
    const auto answers =
        place_orders(std::vector{placing(), placing(key), placing()}, *store, clock_, ids_, {});
    EXPECT_EQ(lossy.lose, 0);
    for (const auto& answer : answers) EXPECT_TRUE(answer);
    EXPECT_EQ(count("orders"), 3);
    EXPECT_EQ(count("order_items"), 6);
    EXPECT_EQ(count("outbox_events"), 3);
    EXPECT_EQ(count("idempotency_keys"), 1);
}

TEST_P(OrderStoreContract, ChangesOnceWhenTheAnswerOfTheCommitIsLost) {
    const Order order = placed();
    testing::LossyDatabase lossy(*database_);
    const auto store = make_sql_order_store(lossy, clock_, ids_);
    lossy.lose = 2;
    const std::vector<ChangeOrder> cancelling = {
        {order.id, {Action::cancel, "", {}}, "anonymous", {}, {}, {}}};
    EXPECT_EQ(change_orders(cancelling, *store, clock_, ids_, {}).at(0).value().order.status,
              Status::cancelled);
    EXPECT_EQ(lossy.lose, 1);  // the second round found what the first had done
    EXPECT_EQ(count("outbox_events"), 2);
}

// Both handle the same message; the second one commits while the first one thinks.
TEST_P(OrderStoreContract, TwoHandlersOfOneMessageHaveOneEffect) {
    const Order order = placed();
    const Uuid message = ids_.next();
    bool overtaken = false;
    const std::vector<OrderChange> handling = {
        {order.id, message, "trackops-orders", {}, {}, [&](OrderRecord& record) -> Result<void> {
             if (!std::exchange(overtaken, true)) answer(order.id, StockAnswer::reserved, message);
             settle(record, StockAnswer::reserved, {clock_.now(), "inventory", {}, {}});
             return {};
         }}};
    EXPECT_EQ(store_->update(handling).at(0).value().order.version, 2);
    EXPECT_EQ(count("outbox_events"), 2);
    EXPECT_EQ(count("processed_events"), 1);
}

TEST_P(OrderStoreContract, NumbersTheEventsOfAnOrderWithoutGaps) {
    const Order order = placed();
    answer(order.id, StockAnswer::reserved, ids_.next());
    ASSERT_TRUE(change(order.id, Action::process));
    ASSERT_TRUE(change(order.id, Action::cancel));
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

TEST_P(OrderStoreContract, ReadsSagasAsTheyWereSaved) {
    const Order order = placed();
    Saga saga = saga_of(order.id);
    EXPECT_EQ(saga, begin_fulfilment(saga.id, clock_.now(), {}));
    ASSERT_TRUE(change(order.id, Action::cancel));
    EXPECT_EQ(saga_of(order.id).status, SagaStatus::compensating);
    EXPECT_EQ(saga_of(order.id).steps.size(), 3U);
    answer(order.id, StockAnswer::released, ids_.next());
    EXPECT_EQ(saga_of(order.id).status, SagaStatus::compensated);
    EXPECT_EQ(store_->saga(saga.id).value().order, order.id);
    EXPECT_EQ(store_->saga(SagaId(ids_.next())).error().code, Errc::not_found);
}

TEST_P(OrderStoreContract, GivesADueSagaToOneOnly) {
    const Order order = placed();
    EXPECT_TRUE(store_->claim_due(clock_.now(), std::chrono::seconds(30), 10).value().empty());
    clock_.advance(std::chrono::seconds(31));
    EXPECT_EQ(store_->claim_due(clock_.now(), std::chrono::seconds(30), 10).value(),
              std::vector{order.id});
    EXPECT_TRUE(store_->claim_due(clock_.now(), std::chrono::seconds(30), 10).value().empty());
    clock_.advance(std::chrono::seconds(30));
    EXPECT_EQ(store_->claim_due(clock_.now(), std::chrono::seconds(30), 10).value(),
              std::vector{order.id});
}

TEST_P(OrderStoreContract, TheClockSendsAgainAndThenTimesOut) {
    const Order order = placed();
    const SagaRound round{.relay_lag = [] { return Duration::zero(); }};
    clock_.advance(std::chrono::seconds(30));
    ASSERT_EQ(advance_sagas(round, *store_, clock_, ids_, {}).value().size(), 1U);
    EXPECT_EQ(count("outbox_events"), 2);
    EXPECT_EQ(found(order.id).version, 1);
    clock_.advance(std::chrono::minutes(15));
    ASSERT_EQ(advance_sagas(round, *store_, clock_, ids_, {}).value().size(), 1U);
    EXPECT_EQ(found(order.id).cancel_reason, "TIMED_OUT");
    EXPECT_EQ(saga_of(order.id).status, SagaStatus::compensating);
    answer(order.id, StockAnswer::reserved, ids_.next());  // late
    EXPECT_EQ(saga_of(order.id).status, SagaStatus::compensating);
    answer(order.id, StockAnswer::released, ids_.next());
    EXPECT_EQ(saga_of(order.id).status, SagaStatus::compensated);
}

TEST_P(OrderStoreContract, TheClockSendsACancellationAgainAsItWas) {
    const Order pending = placed();
    const Order confirmed = placed();
    clock_.advance(std::chrono::seconds(9));
    answer(confirmed.id, StockAnswer::reserved, ids_.next());
    clock_.advance(-std::chrono::seconds(4));  // the order is newer than its cancellation
    ASSERT_TRUE(change(pending.id, Action::cancel));
    ASSERT_TRUE(change(confirmed.id, Action::cancel));
    clock_.advance(std::chrono::seconds(31));
    const SagaRound round{.relay_lag = [] { return Duration::zero(); }};
    ASSERT_EQ(advance_sagas(round, *store_, clock_, ids_, {}).value().size(), 2U);
    EXPECT_EQ(count("outbox_events WHERE type = 'ORDER_CANCELLED'"), 4);
    EXPECT_EQ(count("(SELECT DISTINCT CAST(payload AS TEXT) FROM outbox_events "
                    "WHERE type = 'ORDER_CANCELLED') AS said"),
              2);
}

TEST_P(OrderStoreContract, ListsNewestFirstPageByPage) {
    std::vector<OrderId> ids;
    for (int i = 0; i < 5; ++i) ids.push_back(placed().id);
    ASSERT_TRUE(change(ids[2], Action::cancel));
    std::vector<OrderId> seen;
    std::optional<OrderId> after;
    do {
        const auto page = store_->list({}, after, 2).value();
        for (const Order& order : page.items) seen.push_back(order.id);
        after = page.next;
    } while (after);
    std::ranges::reverse(seen);
    EXPECT_EQ(seen, ids);
    const auto cancelled = store_
                               ->list({.status = Status::cancelled,
                                       .customer = {},
                                       .external_ref = {},
                                       .created_from = {},
                                       .created_to = {}},
                                      {}, 10)
                               .value();
    ASSERT_EQ(cancelled.items.size(), 1U);
    EXPECT_EQ(cancelled.items[0].id, ids[2]);
    EXPECT_TRUE(store_
                    ->list({.status = {},
                            .customer = CustomerId(ids_.next()),
                            .external_ref = {},
                            .created_from = {},
                            .created_to = {}},
                           {}, 10)
                    .value()
                    .items.empty());
}

TEST_P(OrderStoreContract, ListsByTimeWhateverTheIdsSay) {
    const Order first = placed();  // SeededIds dates every id alike
    const auto list = [&](Instant from, Instant to) {
        return store_
            ->list({.status = {},
                    .customer = {},
                    .external_ref = {},
                    .created_from = from,
                    .created_to = to},
                   {}, 10)
            .value()
            .items.size();
    };
    EXPECT_EQ(list(first.created_at, first.created_at + Duration(1)), 1U);
    EXPECT_EQ(list(first.created_at + Duration(1), first.created_at + Duration(2)), 0U);
    EXPECT_EQ(list(first.created_at - Duration(1), first.created_at), 0U);
    // No id is dated before the epoch.
    const Instant year_1 = *Instant::parse("0001-01-01T00:00:00Z");
    const Instant year_9999 = *Instant::parse("9999-12-31T23:59:59Z");
    EXPECT_EQ(list(Instant{}, year_9999), 1U);
    EXPECT_EQ(list(year_1, first.created_at + Duration(1)), 1U);
    EXPECT_EQ(list(year_1, Instant{}), 0U);
    EXPECT_EQ(list(year_1, year_1 + Duration(1)), 0U);
}

TEST_P(OrderStoreContract, TellsWhichHaveLeftPending) {
    const Order waiting = placed();
    const Order settled = placed();
    answer(settled.id, StockAnswer::refused, ids_.next());
    const auto left = store_->settled(std::vector{waiting.id, settled.id}).value();
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left[0].id, settled.id);
    EXPECT_EQ(left[0].cancel_reason, "OUT_OF_STOCK");
}

TEST_P(OrderStoreContract, RacingWritersNeverSkipAVersion) {
    const Order order = placed();
    answer(order.id, StockAnswer::reserved, ids_.next());
    std::atomic<int> won = 0;
    {
        std::vector<std::jthread> writers;
        for (int i = 0; i < 8; ++i) {
            writers.emplace_back([&] {
                if (change(order.id, Action::cancel)) ++won;
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
}  // namespace trackops::order
