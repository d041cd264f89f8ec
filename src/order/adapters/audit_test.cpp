// The tests of the order service's invariants: each one finds a planted fault, and none finds a
// violation while several threads write.
#include "order/adapters/audit.hpp"

#include <algorithm>
#include <stop_token>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "order/adapters/order_json.hpp"
#include "order/adapters/sql_order_store.hpp"
#include "order/app/advance_sagas.hpp"
#include "order/app/change_orders.hpp"
#include "order/app/place_orders.hpp"
#include "order/app/settle_reservations.hpp"
#include "order/migrations.hpp"
#include "platform/audit/planted_faults_for_tests.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/migrations.hpp"
#include "testing/databases.hpp"

namespace trackops::order::adapters {
namespace {

using audit::PlantedFault;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Key;

// A database with an order in each state in which an order can stay, and the ids that the planted
// faults use.
class Orders {
public:
    explicit Orders(std::string_view kind) : fresh(kind) {
        sql::migrate(*database, "outbox", outbox::migrations);
        sql::migrate(*database, "idempotency", idempotency::migrations);
        sql::migrate(*database, "order", migrations);
    }

    std::vector<domain::OrderId> place(std::size_t count) {
        domain::OrderTerms terms;
        terms.currency = "GBP";
        terms.shipping_amount_minor = 5;
        terms.items = {{"a", {}, 2, 10}, {"b", {}, 1, 7}};
        terms.shipping_address = {{}, "1 High St", {}, "London", {}, "N1", "GB", {}};
        const std::vector<app::PlaceOrder> wanted(count,
                                                  app::PlaceOrder{terms, "anonymous", {}, {}});
        std::vector<domain::OrderId> placed;
        for (auto& receipt : app::place_orders(wanted, *store, clock, ids, {}))
            placed.push_back(receipt.value().order.id);
        return placed;
    }
    void answer(std::span<const domain::OrderId> orders, domain::ReservationOutcome answer) {
        std::vector<app::ReservationReply> replies;
        for (const domain::OrderId id : orders) replies.push_back({id, ids.next(), answer, {}});
        for (auto& receipt : app::settle_reservations(replies, *store, clock, {}))
            (void)receipt.value();
    }
    // Ignores the changes that are refused.
    void change(std::span<const domain::OrderId> orders, domain::Action action) {
        std::vector<app::ChangeOrder> changes;
        for (const domain::OrderId id : orders)
            changes.push_back({id, domain::Command{action, "", {}}, "anonymous", {}, {}, {}});
        (void)app::change_orders(changes, *store, clock, ids, {});
    }
    void a_life_of_each_kind() {
        const auto orders = place(9);
        const std::span all(orders);
        pending = orders[8].uuid.text();
        answer(all.subspan(0, 4), domain::ReservationOutcome::reserved);
        confirmed = orders[0].uuid.text();
        change(all.subspan(1, 3), domain::Action::process);
        change(all.subspan(1, 2), domain::Action::ship);
        change(all.subspan(1, 1), domain::Action::deliver);
        delivered = orders[1].uuid.text();
        change(all.subspan(3, 1), domain::Action::cancel);  // the cancellation saga stays RUNNING
        answer(all.subspan(4, 1), domain::ReservationOutcome::refused);
        change(all.subspan(5, 1), domain::Action::cancel);
        answer(all.subspan(5, 1), domain::ReservationOutcome::released);
        cancelled = orders[5].uuid.text();
        change(all.subspan(6, 1), domain::Action::cancel);
        clock.advance(std::chrono::seconds(40));  // the sagas that wait retry
        (void)app::advance_sagas({.relay_lag = [] { return Duration::zero(); }}, *store, clock, ids,
                                 {});
    }
    std::vector<PlantedFault> plants() const;
    std::map<std::string, std::int64_t> everything(std::int64_t rows_max = 2'000) {
        return audit::violations(*database, order_invariants(), clock.now(), rows_max);
    }

    telemetry::Registry metrics;
    testing::FakeClock clock;
    testing::SeededIds ids;
    testing::FreshDatabase fresh;
    std::unique_ptr<sql::Database> database = backends::open_database(fresh.url(), {}, metrics);
    std::unique_ptr<app::OrderStore> store =
        make_sql_order_store(*database, clock, ids, metrics, recorded_response);
    std::string pending, confirmed, delivered, cancelled;  // ids
};

std::vector<PlantedFault> Orders::plants() const {
    const auto of = [](std::string_view text, const std::string& id) {
        return fmt::format(fmt::runtime(text), id);
    };
    constexpr std::string_view parked =
        "(position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id, "
        "traceparent, tracestate, occurred_at, reason, parked_at) SELECT position + 1000, "
        "event_id, "
        "aggregate_id, type, sequence, payload, '', '', '', '', occurred_at, 'too large', "
        "occurred_at "
        "FROM outbox_events WHERE position = 1";
    return {
        {"order_is_where_its_history_ends",
         {of("UPDATE orders SET status = 'PROCESSING' WHERE id = '{}'", confirmed)}},
        {"history_is_a_life_of_an_order",
         {of("UPDATE order_history SET version = 6 WHERE order_id = '{}' AND version = 5",
             delivered)}},
        {"total_is_the_sum_of_the_lines",
         {of("UPDATE order_items SET quantity = quantity + 1 WHERE order_id = '{}' AND line = 2",
             pending)}},
        {"parts_belong_to_an_order", {of("DELETE FROM orders WHERE id = '{}'", pending)}},
        {"order_has_its_fulfilment",
         {of("DELETE FROM saga_instances WHERE order_id = '{}' AND type = 'ORDER_FULFILMENT'",
             confirmed)}},
        {"sagas_agree_with_their_order",
         {of("UPDATE saga_instances SET status = 'RUNNING', due_at = started_at WHERE order_id = "
             "'{}'",
             confirmed)}},
        {"sagas_agree_with_their_steps",
         {of("UPDATE saga_steps SET status = 'RUNNING' WHERE name = 'release' AND saga_id IN "
             "(SELECT id FROM saga_instances WHERE order_id = '{}')",
             cancelled)}},
        {"changes_are_announced",
         {of("UPDATE orders SET events_sent = 1 WHERE id = '{}'", delivered)}},
        {"sagas_are_looked_at",
         {of("UPDATE saga_instances SET due_at = '2020-01-01T00:00:00.000000Z' WHERE order_id = "
             "'{}'",
             pending)}},
        {"orders_leave_pending",
         {of("UPDATE saga_instances SET deadline_at = \'2020-01-01T00:00:00.000000Z\' WHERE "
             "order_id = '{}'",
             pending)}},
        {"events_tell_of_changes",
         {of("UPDATE outbox_events SET type = 'ORDER_DELIVERED' WHERE aggregate_id = '{}' AND "
             "sequence = 2",
             confirmed)}},
        {"changes_have_their_event",
         {of("DELETE FROM outbox_events WHERE aggregate_id = '{}' AND sequence = 2", delivered)}},
        {"events_are_numbered_without_gap",
         {of("DELETE FROM outbox_events WHERE aggregate_id = '{}' AND sequence = 2", confirmed)}},
        {"customer_has_one_default_address",
         {"INSERT INTO customers (id, version, created_at, updated_at) VALUES ('c', 1, "
          "'2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:00.000000Z')",
          "INSERT INTO addresses (id, customer_id, line1, city, postal_code, country, is_default, "
          "version, created_at, updated_at) VALUES ('018f0000-0000-7000-8000-000000000001', 'c', "
          "'1', 'C', '', 'IE', false, 1, '2020-01-01T00:00:00.000000Z', "
          "'2020-01-01T00:00:00.000000Z')"}},
        {"checkpoint_is_not_ahead",
         {"INSERT INTO relay_checkpoint (id, position) VALUES (1, 1000000)"},
         {"INSERT INTO relay.checkpoint (id, base, cursor) VALUES (1, '5000000:5000000:', 0)"}},
        {"parked_events_are_in_the_outbox",
         {fmt::format("INSERT INTO relay_parked_events {}", parked)},
         {fmt::format("INSERT INTO relay.parked_events {}", parked)}},
    };
}

class OrderAudit : public ::testing::TestWithParam<std::string> {};

TEST_P(OrderAudit, FindsNothingInOrdersOfEveryKind) {
    Orders orders(GetParam());
    orders.a_life_of_each_kind();
    for (const std::int64_t rows_max : {1, 2, 3, 2'000})
        EXPECT_THAT(orders.everything(rows_max), IsEmpty()) << "in pages of " << rows_max;
    audit::AuditorFixture at_hand(*orders.database, order_invariants(), orders.clock.now());
    EXPECT_THAT(at_hand.pass(), IsEmpty());
    EXPECT_EQ(at_hand.value("trackops_audit_suspicions_total"), 0);
}

TEST_P(OrderAudit, FindsAPlantedFaultForEachRowOfTheTable) {
    for (const audit::Invariant& invariant : order_invariants()) {
        const std::string name(invariant.name);
        Orders orders(GetParam());
        orders.a_life_of_each_kind();
        const auto plants = orders.plants();
        const auto fault = std::ranges::find(plants, invariant.name, &PlantedFault::invariant);
        ASSERT_NE(fault, plants.end()) << name << " has no plant";
        plant(*orders.database, *fault);
        const auto found = orders.everything();
        EXPECT_THAT(found, Contains(Key(name)));
        // Each as often, wherever a page ends.
        for (const std::int64_t rows_max : {1, 2})
            EXPECT_EQ(orders.everything(rows_max), found) << name << " in pages of " << rows_max;
        if (invariant.reads_all) continue;
        audit::AuditorFixture at_hand(*orders.database, order_invariants(), orders.clock.now());
        EXPECT_THAT(at_hand.pass(), Contains(Key(name)));
    }
}

// Whether the event, which leaves the status as it is, may happen in the status.
bool may_stay(std::string_view event, domain::Status status) {
    using domain::Status;
    if (event == "ORDER_DETAILS_CHANGED") return status < Status::shipped;
    if (event == "SHIPMENT_CORRECTED") return status < Status::delivered;
    if (event == "PERSONAL_DATA_ERASED") return domain::is_final(status);
    return status == (event == "RESERVATION_RETRIED" ? Status::pending : Status::cancelled);
}

// Checks each status with each type of event: the statement allows the same steps as the domain.
TEST_P(OrderAudit, KnowsEveryStepThatAnOrderMayTake) {
    using domain::Status;
    Orders orders(GetParam());
    orders.place(1);
    for (const Status from : domain::statuses) {
        for (const domain::EventRule& rule : domain::event_rules) {
            const Status to = rule.leads_to.value_or(from);
            audit::plant(
                *orders.database,
                {.invariant = "",
                 .statements = {
                     fmt::format("UPDATE order_history SET status = '{}' WHERE revision = 1",
                                 name_of(from)),
                     "DELETE FROM order_history WHERE revision = 2",
                     fmt::format("INSERT INTO order_history SELECT order_id, 2, {}, '{}', '{}', "
                                 "NULL, NULL, NULL, '', '', NULL, occurred_at FROM order_history",
                                 rule.is_shown ? 2 : 1, rule.name, name_of(to))}});
            const bool is_legal =
                rule.leads_to ? std::ranges::any_of(domain::transitions,
                                                    [&](const domain::Transition& row) {
                                                        return row.from == from && row.to == to;
                                                    })
                              : may_stay(rule.name, from);
            // Only PENDING can be the first status.
            const std::int64_t expected = (is_legal ? 0 : 1) + (from == Status::pending ? 0 : 1);
            EXPECT_EQ(orders.everything()["history_is_a_life_of_an_order"], expected)
                << name_of(from) << " to " << name_of(to) << " by " << rule.name;
        }
    }
}

TEST_P(OrderAudit, FindsNothingWhileManyWrite) {
    Orders orders(GetParam());
    const auto live = [&](const std::stop_token& stop, unsigned salt) {
        for (unsigned round = salt; !stop.stop_requested(); ++round) {
            const auto placed = orders.place(8);
            const std::span all(placed);
            orders.answer(all.subspan(round % 5, 3), domain::ReservationOutcome::reserved);
            orders.change(all.subspan(round % 4), domain::Action::cancel);
            orders.change(all, domain::Action::process);
            orders.answer(all.first(5), domain::ReservationOutcome::released);
            orders.change(all, domain::Action::ship);
            orders.change(all, domain::Action::deliver);
        }
    };
    {
        std::jthread one(live, 0);
        std::jthread other(live, 3);
        audit::AuditorFixture at_hand(*orders.database, order_invariants(), orders.clock.now());
        while (at_hand.value("trackops_audit_rows_total") < 3000) {
            // Slow writers must not make a saga look overdue.
            at_hand.clock.set(orders.clock.now());
            EXPECT_THAT(at_hand.pass(), IsEmpty());
        }
        // There is not even a suspected violation, because a page is read in one snapshot.
        EXPECT_EQ(at_hand.value("trackops_audit_suspicions_total"), 0);
    }
    EXPECT_THAT(orders.everything(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Databases, OrderAudit, ::testing::ValuesIn(testing::databases));

}  // namespace
}  // namespace trackops::order::adapters
