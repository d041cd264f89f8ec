// The contract of the order store's sagas and lists, tested on both databases.
#include <set>

#include "order/adapters/order_store_contract_fixture.hpp"

namespace trackops::order::adapters {
namespace {

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
    clock_.advance(-std::chrono::seconds(4));  // updated_at is later than the cancellation
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
    app::OrderFilter cancelled_alone;
    cancelled_alone.statuses = {domain::Status::cancelled};
    const auto cancelled = store_->list(cancelled_alone, {}, 10).value();
    ASSERT_EQ(cancelled.items.size(), 1U);
    EXPECT_EQ(cancelled.items[0].id, ids[2]);
    app::OrderFilter of_nobody;
    of_nobody.customer = domain::CustomerId{ids_.next().text()};
    EXPECT_TRUE(store_->list(of_nobody, {}, 10).value().items.empty());
}

TEST_P(OrderStoreContract, ListsByStatusesSkuAndWaitingForAPerson) {
    const domain::Order pending = placed();
    app::PlaceOrder other = placing();
    other.terms.items[0].sku = "OTHER";
    const domain::Order with_other = place({other}).at(0).value().order;
    const domain::Order cancelled = placed();
    ASSERT_TRUE(change(cancelled.id, domain::Action::cancel));
    const auto list = [this](const app::OrderFilter& filter) {
        std::vector<domain::OrderId> ids;
        const auto page = store_->list(filter, {}, 10).value();
        for (const domain::Order& order : page.items) ids.push_back(order.id);
        return ids;
    };
    using Ids = std::vector<domain::OrderId>;
    app::OrderFilter filter;
    filter.statuses = {domain::Status::cancelled, domain::Status::confirmed};
    EXPECT_EQ(list(filter), Ids{cancelled.id});
    filter.statuses.push_back(domain::Status::pending);
    EXPECT_EQ(list(filter), (Ids{cancelled.id, with_other.id, pending.id}));
    filter.sku = "OTHER";
    EXPECT_EQ(list(filter), Ids{with_other.id});
    filter.sku = "other";
    EXPECT_TRUE(list(filter).empty());
    filter = {};
    filter.is_stuck = true;
    EXPECT_TRUE(list(filter).empty());
    {
        const auto tx = database_->begin(sql::Access::write);
        tx->add({.name = "block",
                 .text = "UPDATE saga_instances SET status = 'BLOCKED', due_at = NULL "
                         "WHERE order_id = $1"},
                {with_other.id});
        tx->commit();
    }
    EXPECT_EQ(list(filter), Ids{with_other.id});
    filter.statuses = {domain::Status::cancelled};
    EXPECT_TRUE(list(filter).empty());
}

// A reader that asks for page after page while orders change sees each change at least once.
TEST_P(OrderStoreContract, ListsTheOldestChangeFirst) {
    std::vector<domain::OrderId> ids;
    for (int i = 0; i < 4; ++i) {
        clock_.advance(std::chrono::seconds(1));
        ids.push_back(placed().id);
    }
    using Ids = std::vector<domain::OrderId>;
    const auto page_behind = [&](std::optional<app::UpdatedCursor> after,
                                 const app::OrderFilter& filter = {}) {
        return store_->list_updated(filter, after, 2).value();
    };
    const auto ids_of = [](const app::Page<domain::Order, app::UpdatedCursor>& page) {
        Ids found;
        for (const domain::Order& order : page.items) found.push_back(order.id);
        return found;
    };
    const auto first = page_behind({});
    EXPECT_EQ(ids_of(first), (Ids{ids[0], ids[1]}));
    clock_.advance(std::chrono::seconds(1));
    ASSERT_TRUE(change(ids[0], domain::Action::cancel));
    const auto second = page_behind(first.next);
    EXPECT_EQ(ids_of(second), (Ids{ids[2], ids[3]}));
    const auto third = page_behind(second.next);
    EXPECT_EQ(ids_of(third), Ids{ids[0]});
    EXPECT_EQ(third.items[0].status, domain::Status::cancelled);
    EXPECT_FALSE(third.next);
    app::OrderFilter filter;
    filter.updated_from = third.items[0].updated_at;
    EXPECT_EQ(ids_of(page_behind({}, filter)), Ids{ids[0]});
    filter.updated_from = third.items[0].updated_at + Duration(1);
    EXPECT_TRUE(page_behind({}, filter).items.empty());
    filter.updated_from.reset();
    filter.statuses = {domain::Status::pending};
    const auto pending = page_behind({}, filter);
    EXPECT_EQ(ids_of(pending), (Ids{ids[1], ids[2]}));
    EXPECT_EQ(ids_of(page_behind(pending.next, filter)), Ids{ids[3]});
}

TEST_P(OrderStoreContract, ListsByTimeWhateverTheIdsSay) {
    const domain::Order first = placed();  // SeededIds puts the same time into every id
    const auto list = [&](Instant from, Instant to) {
        app::OrderFilter filter;
        filter.created_from = from;
        filter.created_to = to;
        return store_->list(filter, {}, 10).value().items.size();
    };
    EXPECT_EQ(list(first.created_at, first.created_at + Duration(1)), 1U);
    EXPECT_EQ(list(first.created_at + Duration(1), first.created_at + Duration(2)), 0U);
    EXPECT_EQ(list(first.created_at - Duration(1), first.created_at), 0U);
    // The time in an id is never before the epoch.
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

}  // namespace
}  // namespace trackops::order::adapters
