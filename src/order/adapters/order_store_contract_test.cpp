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

namespace trackops::order::adapters {
namespace {

domain::OrderTerms terms(std::string sku = "85123A") {
    domain::OrderTerms terms;
    terms.customer = domain::CustomerId(uuid_v7({1}, 2, 3));
    terms.currency = "GBP";
    terms.items = {{sku, "Holder", 6, 255}, {"b", {}, 1, 100}};
    terms.shipping_address = {"Ada", "1 High St", {}, "London", {}, "N1", "GB", {}};
    terms.metadata = R"({"a": 1})";
    return terms;
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

    app::PlaceOrder placing(std::optional<IdempotencyKey> key = {}) {
        return {terms(), "anonymous", {"c", "c", "", ""}, std::move(key)};
    }
    std::vector<Result<app::SaveResult>> domain::place(std::vector<app::PlaceOrder> commands) {
        return app::place_orders(commands, *store_, clock_, ids_, {});
    }
    domain::Order placed() { return domain::place({placing()}).at(0).value().order; }
    Result<app::SaveResult> change(domain::OrderId id, domain::Action action,
                                   std::optional<IdempotencyKey> key = {},
                                   std::optional<std::int64_t> version = {}) {
        return app::change_orders(
                   std::vector<app::ChangeOrder>{
                       {id, {action, "", {}}, "anonymous", {}, std::move(key), version}},
                   *store_, clock_, ids_, {})
            .at(0);
    }
    std::vector<Result<app::SaveResult>> answer(domain::OrderId id,
                                                domain::ReservationOutcome answer, Uuid message) {
        return app::settle_reservations(
            std::vector<app::ReservationReply>{{id, message, answer, {}}}, *store_, clock_, {});
    }
    domain::Order found(domain::OrderId id) { return store_->find(std::vector{id}).at(0).value(); }
    domain::Saga saga_of(domain::OrderId id, domain::SagaType type = domain::SagaType::fulfilment) {
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
    std::unique_ptr<app::OrderStore> store_;
};

TEST_P(OrderStoreContract, ReturnsThePlacedOrder) {
    app::PlaceOrder command = placing();
    command.terms.external_ref = "536365";
    command.terms.shipping_amount_minor = 390;
    const domain::Order order = domain::place({command}).at(0).value().order;
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
    const auto answers = domain::place({placing(), wrong, placing()});
    EXPECT_TRUE(answers[0] && answers[2]);
    EXPECT_EQ(answers[1].error().code, Errc::invalid);
    EXPECT_EQ(count("orders"), 2);
}

TEST_P(OrderStoreContract, OneOrderThatTheDatabaseRefusesDoesNotFailItsNeighbours) {
    app::PlaceOrder wrong = placing();
    wrong.terms.delivery_instructions = std::string("a\0b", 3);  // no text in PostgreSQL
    const auto answers = domain::place({placing(), placing(), wrong, placing(), placing()});
    for (const std::size_t i : {0U, 1U, 3U, 4U}) EXPECT_TRUE(answers[i]) << i;
    EXPECT_EQ(answers[2].error().code, Errc::invalid);
    EXPECT_EQ(count("orders"), 4);
}

TEST_P(OrderStoreContract, AnswersAKeyOnceWhateverTheBatch) {
    const IdempotencyKey key{"anonymous POST /api/orders", "k", "f"};
    const auto together = domain::place({placing(key), placing(), placing(key)});
    ASSERT_TRUE(together[0] && together[2]);
    ASSERT_TRUE(together[2]->recorded);
    EXPECT_EQ(together[2]->recorded->body, order_json(together[0]->order));
    const auto later = domain::place({placing(key)});
    EXPECT_EQ(later.at(0).value().recorded, together[2]->recorded);
    EXPECT_EQ(count("orders"), 2);
    IdempotencyKey other_body = key;
    other_body.fingerprint = "g";
    EXPECT_EQ(domain::place({placing(other_body)}).at(0).error().code, Errc::key_reused);
    EXPECT_EQ(count("orders"), 2);
}

TEST_P(OrderStoreContract, ThirtyTwoRequestsWithOneKeyMakeOneOrder) {
    const IdempotencyKey key{"anonymous POST /api/orders", "k", "f"};
    std::vector<std::string> bodies(32);
    {
        std::vector<std::jthread> twins;
        for (std::string& body : bodies) {
            twins.emplace_back([this, &body, key] {
                auto placed = domain::place({placing(key)}).at(0);
                while (!placed && placed.error().code == Errc::unavailable)  // no connection free
                    placed = domain::place({placing(key)}).at(0);
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
        {order.id, {domain::Action::process, "", {}}, "anonymous", {}, {}, {}},
        {order.id, {domain::Action::process, "", {}}, "anonymous", {}, {}, {}},
        {order.id,
         {domain::Action::ship, "", domain::Shipment{"DHL", "1"}},
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
    EXPECT_EQ(timeline[3].change.to, domain::Status::shipped);
    EXPECT_NE(timeline[2].cause, timeline[3].cause);
}

// The second writer saves while the first one thinks.
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
             settle(record, domain::ReservationOutcome::reserved,
                    {clock_.now(), "inventory", {}, {}});
             return {};
         }}};
    const auto first = store_->update(confirming);
    EXPECT_EQ(first.at(0).error().code, Errc::illegal_transition);
    EXPECT_EQ(found(order.id).status, domain::Status::cancelled);
    EXPECT_EQ(found(order.id).version, 2);
    EXPECT_EQ(count("outbox_events"), 2);
}

// The clock looks at a saga whose answer arrives while it thinks: nothing of the order itself
// changes, so only the revision knows.
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
    EXPECT_EQ(count("outbox_events"), 2);  // nothing is sent again to what was answered
}

// The third outcome of a commit: it happened, and nobody was told.
TEST_P(OrderStoreContract, PlacesOnceWhenTheAnswerOfTheCommitIsLost) {
    testing::LossyDatabase lossy(*database_);
    const auto store = make_sql_order_store(lossy, clock_, ids_);
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
    const auto store = make_sql_order_store(lossy, clock_, ids_);
    lossy.lose = 2;
    const std::vector<app::ChangeOrder> cancelling = {
        {order.id, {domain::Action::cancel, "", {}}, "anonymous", {}, {}, {}}};
    EXPECT_EQ(app::change_orders(cancelling, *store, clock_, ids_, {}).at(0).value().order.status,
              domain::Status::cancelled);
    EXPECT_EQ(lossy.lose, 1);  // the second round found what the first had done
    EXPECT_EQ(count("outbox_events"), 2);
}

// Both handle the same message; the second one commits while the first one thinks.
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
             settle(record, domain::ReservationOutcome::reserved,
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

TEST_P(OrderStoreContract, ReadsSagasAsTheyWereSaved) {
    const domain::Order order = placed();
    domain::Saga saga = saga_of(order.id);
    EXPECT_EQ(saga, begin_fulfilment(saga.id, clock_.now(), {}));
    ASSERT_TRUE(change(order.id, domain::Action::cancel));
    EXPECT_EQ(saga_of(order.id).status, domain::SagaStatus::compensating);
    EXPECT_EQ(saga_of(order.id).steps.size(), 3U);
    answer(order.id, domain::ReservationOutcome::released, ids_.next());
    EXPECT_EQ(saga_of(order.id).status, domain::SagaStatus::compensated);
    EXPECT_EQ(store_->saga(saga.id).value().order, order.id);
    EXPECT_EQ(store_->saga(domain::SagaId(ids_.next())).error().code, Errc::not_found);
}

TEST_P(OrderStoreContract, GivesADueSagaToOneOnly) {
    const domain::Order order = placed();
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
    const domain::Order order = placed();
    const app::SagaSweepOptions round{.relay_lag = [] { return Duration::zero(); }};
    clock_.advance(std::chrono::seconds(30));
    ASSERT_EQ(app::advance_sagas(round, *store_, clock_, ids_, {}).value().size(), 1U);
    EXPECT_EQ(count("outbox_events"), 2);
    EXPECT_EQ(found(order.id).version, 1);
    clock_.advance(std::chrono::minutes(15));
    ASSERT_EQ(app::advance_sagas(round, *store_, clock_, ids_, {}).value().size(), 1U);
    EXPECT_EQ(found(order.id).cancel_reason, "TIMED_OUT");
    EXPECT_EQ(saga_of(order.id).status, domain::SagaStatus::compensating);
    answer(order.id, domain::ReservationOutcome::reserved, ids_.next());  // late
    EXPECT_EQ(saga_of(order.id).status, domain::SagaStatus::compensating);
    answer(order.id, domain::ReservationOutcome::released, ids_.next());
    EXPECT_EQ(saga_of(order.id).status, domain::SagaStatus::compensated);
}

TEST_P(OrderStoreContract, TheClockSendsACancellationAgainAsItWas) {
    const domain::Order pending = placed();
    const domain::Order confirmed = placed();
    clock_.advance(std::chrono::seconds(9));
    answer(confirmed.id, domain::ReservationOutcome::reserved, ids_.next());
    clock_.advance(-std::chrono::seconds(4));  // the order is newer than its cancellation
    ASSERT_TRUE(change(pending.id, domain::Action::cancel));
    ASSERT_TRUE(change(confirmed.id, domain::Action::cancel));
    clock_.advance(std::chrono::seconds(31));
    const app::SagaSweepOptions round{.relay_lag = [] { return Duration::zero(); }};
    ASSERT_EQ(app::advance_sagas(round, *store_, clock_, ids_, {}).value().size(), 2U);
    EXPECT_EQ(count("outbox_events WHERE type = 'ORDER_CANCELLED'"), 4);
    EXPECT_EQ(count("(SELECT DISTINCT CAST(payload AS TEXT) FROM outbox_events "
                    "WHERE type = 'ORDER_CANCELLED') AS said"),
              2);
}

TEST_P(OrderStoreContract, ListsNewestFirstPageByPage) {
    std::vector<domain::OrderId> ids;
    for (int i = 0; i < 5; ++i) ids.push_back(placed().id);
    ASSERT_TRUE(change(ids[2], domain::Action::cancel));
    std::vector<domain::OrderId> seen;
    std::optional<domain::OrderId> after;
    do {
        const auto page = store_->list({}, after, 2).value();
        for (const domain::Order& order : page.items) seen.push_back(order.id);
        after = page.next;
    } while (after);
    std::ranges::reverse(seen);
    EXPECT_EQ(seen, ids);
    const auto cancelled = store_
                               ->list({.status = domain::Status::cancelled,
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
                            .customer = domain::CustomerId(ids_.next()),
                            .external_ref = {},
                            .created_from = {},
                            .created_to = {}},
                           {}, 10)
                    .value()
                    .items.empty());
}

TEST_P(OrderStoreContract, ListsByTimeWhateverTheIdsSay) {
    const domain::Order first = placed();  // SeededIds dates every id alike
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
    const domain::Order waiting = placed();
    const domain::Order settled = placed();
    answer(settled.id, domain::ReservationOutcome::refused, ids_.next());
    const auto left = store_->settled(std::vector{waiting.id, settled.id}).value();
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left[0].id, settled.id);
    EXPECT_EQ(left[0].cancel_reason, "OUT_OF_STOCK");
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
