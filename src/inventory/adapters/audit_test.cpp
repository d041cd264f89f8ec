// The tests of the inventory service's invariants: each one finds a planted fault, and none finds a
// violation while several threads write.
#include "inventory/adapters/audit.hpp"

#include <algorithm>
#include <set>
#include <stop_token>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "inventory/adapters/inventory_stores_fixture.hpp"
#include "platform/audit/planted_faults_for_tests.hpp"

namespace trackops::inventory::adapters {
namespace {

using audit::PlantedFault;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Key;

// A database with a reservation in each state that the reservation of an order can have.
class Stocked : public InventoryStoresFixture {
public:
    explicit Stocked(std::string_view kind) : InventoryStoresFixture(kind) {
        create_item("a", 1'000'000);
        create_item("b", 1'000'000);
        create_item("scarce", 1);
    }

    domain::OrderId create(std::vector<domain::Line> lines) {
        const domain::OrderId order(ids.next());
        handle({{ids.next(), {order, domain::ReservationCommand::create, std::move(lines)}}});
        return order;
    }
    void say(domain::OrderId order, domain::ReservationCommand command) {
        handle({{ids.next(), {order, command, {}, "CUSTOMER_REQUEST"}}});
    }
    void a_reservation_of_each_kind() {
        reserved = create({{"a", 2}, {"b", 1}}).uuid.text();
        const domain::OrderId shipped = create({{"a", 3}, {"b", 4}});
        say(shipped, domain::ReservationCommand::ship);
        fulfilled = shipped.uuid.text();
        say(create({{"a", 5}}), domain::ReservationCommand::cancel);
        refused = create({{"a", 1}, {"scarce", 2}}).uuid.text();
        say(domain::OrderId(ids.next()), domain::ReservationCommand::cancel);
        (void)write("a", domain::AdjustStock{.delta = -7, .reason = "COUNTED"}).value();
        // It names the order, and is no shipment of it.
        (void)write("a", domain::AdjustStock{.delta = 1, .reason = "RETURN", .order_id = shipped})
            .value();
        create_item("gone", 5);
        (void)write("gone", domain::DeleteItem{}).value();
        create_item("gone", 6);
    }
    std::vector<PlantedFault> plants() const;
    std::map<std::string, std::int64_t> everything(std::int64_t rows_max = 2'000) {
        return audit::violations(*database, stock_invariants(), clock.now(), rows_max);
    }

    std::string reserved, fulfilled, refused;  // ids of orders
};

std::vector<PlantedFault> Stocked::plants() const {
    const auto of = [](std::string_view text, const std::string& order) {
        return fmt::format(fmt::runtime(text), order);
    };
    constexpr std::string_view parked =
        "(position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id, "
        "traceparent, tracestate, occurred_at, reason, parked_at) SELECT position + 1000, "
        "event_id, "
        "aggregate_id, type, sequence, payload, '', '', '', '', occurred_at, 'too large', "
        "occurred_at "
        "FROM outbox_events WHERE position = 1";
    const std::string oversold = "UPDATE inventory_items SET reserved = 2 WHERE sku = 'scarce'";
    return {
        {"stock_is_sound",
         {"PRAGMA ignore_check_constraints = ON", oversold},
         {"ALTER TABLE inventory_items DROP CONSTRAINT inventory_items_check", oversold}},
        {"reservations_account_for_stock",
         {of("UPDATE inventory_reservations SET status = 'RELEASED' WHERE order_id = '{}'",
             reserved)}},
        {"reservations_account_for_stock",
         {of("INSERT INTO stock_movements (sku, delta, on_hand_after, reason, order_id, "
             "created_at) "
             "SELECT sku, delta, on_hand_after, reason, order_id, created_at FROM stock_movements "
             "WHERE order_id = '{}' AND sku = 'a'",
             fulfilled)}},
        {"on_hand_is_what_the_ledger_says",
         {"UPDATE inventory_items SET on_hand = on_hand - 1 WHERE sku = 'b'"}},
        {"ledger_adds_up",
         {"UPDATE stock_movements SET on_hand_after = on_hand_after + 1 WHERE sku = 'a' AND "
          "position = (SELECT min(position) FROM stock_movements WHERE sku = 'a')"}},
        {"shipments_have_their_reservation",
         {of("UPDATE inventory_reservations SET status = 'RELEASED' WHERE order_id = '{}'",
             fulfilled)}},
        {"reservations_agree_with_their_lines",
         {of("UPDATE inventory_reservations SET status = 'RESERVED' WHERE order_id = '{}'",
             refused)}},
        {"lines_belong_to_something",
         {of("DELETE FROM inventory_reservations WHERE order_id = '{}'", reserved)}},
        {"lines_belong_to_something", {"DELETE FROM inventory_items WHERE sku = 'b'"}},
        {"decisions_are_answered",
         {of("UPDATE inventory_reservations SET replies = 0 WHERE order_id = '{}'", refused)}},
        {"replies_tell_of_reservations",
         {of("UPDATE outbox_events SET sequence = 9 WHERE aggregate_id = '{}'", refused)}},
        {"replies_are_numbered_without_gap",
         {of("UPDATE inventory_reservations SET replies = 2 WHERE order_id = '{}'", reserved)}},
        {"checkpoint_is_not_ahead",
         {"INSERT INTO relay_checkpoint (id, position) VALUES (1, 1000000)"},
         {"INSERT INTO relay.checkpoint (id, base, cursor) VALUES (1, '5000000:5000000:', 0)"}},
        {"parked_events_are_in_the_outbox",
         {fmt::format("INSERT INTO relay_parked_events {}", parked)},
         {fmt::format("INSERT INTO relay.parked_events {}", parked)}},
    };
}

class StockAudit : public ::testing::TestWithParam<std::string> {};

TEST_P(StockAudit, FindsNothingInReservationsOfEveryKind) {
    Stocked stocked(GetParam());
    stocked.a_reservation_of_each_kind();
    for (const std::int64_t rows_max : {1, 2, 3, 2'000})
        EXPECT_THAT(stocked.everything(rows_max), IsEmpty()) << "in pages of " << rows_max;
    audit::AuditorFixture at_hand(*stocked.database, stock_invariants(), stocked.clock.now());
    EXPECT_THAT(at_hand.pass(), IsEmpty());
    EXPECT_EQ(at_hand.value("trackops_audit_suspicions_total"), 0);
}

TEST_P(StockAudit, FindsEachPlantedFaultAndEachRowOfTheTableHasOne) {
    std::set<std::string_view> found;
    for (std::size_t i = 0;; ++i) {
        Stocked stocked(GetParam());
        stocked.a_reservation_of_each_kind();
        const auto plants = stocked.plants();
        if (i == plants.size()) break;
        const std::string name(plants[i].invariant);
        audit::plant(*stocked.database, plants[i]);
        const auto violations = stocked.everything();
        EXPECT_THAT(violations, Contains(Key(name)));
        // Each as often, wherever a page ends.
        for (const std::int64_t rows_max : {1, 2}) {
            EXPECT_EQ(stocked.everything(rows_max), violations)
                << name << " in pages of " << rows_max;
        }
        found.insert(plants[i].invariant);
        const auto invariants = stock_invariants();
        const auto invariant = std::ranges::find(invariants, name, &audit::Invariant::name);
        ASSERT_NE(invariant, invariants.end()) << name << " is no invariant";
        if (invariant->reads_all) continue;
        audit::AuditorFixture at_hand(*stocked.database, invariants, stocked.clock.now());
        EXPECT_THAT(at_hand.pass(), Contains(Key(name)));
    }
    for (const audit::Invariant& invariant : stock_invariants())
        EXPECT_TRUE(found.contains(invariant.name)) << invariant.name << " has no plant";
}

TEST_P(StockAudit, FindsNothingWhileManyWrite) {
    Stocked stocked(GetParam());
    const auto live = [&](const std::stop_token& stop, int salt) {
        for (int round = salt; !stop.stop_requested(); ++round) {
            std::vector<domain::OrderId> orders;
            orders.reserve(4);
            for (int i = 0; i < 4; ++i) orders.push_back(stocked.create({{"a", 1 + i}, {"b", 2}}));
            stocked.say(orders[0], domain::ReservationCommand::ship);
            stocked.say(orders[1], domain::ReservationCommand::cancel);
            stocked.say(orders[2], round % 2 == 0 ? domain::ReservationCommand::ship
                                                  : domain::ReservationCommand::cancel);
            (void)stocked.write(
                "b", domain::AdjustStock{.delta = round % 2 == 0 ? 3 : -3, .reason = "C"});
        }
    };
    {
        std::jthread one(live, 0);
        std::jthread other(live, 1);
        audit::AuditorFixture at_hand(*stocked.database, stock_invariants(), stocked.clock.now());
        while (at_hand.value("trackops_audit_rows_total") < 3000) {
            // Slow writers must not make anything look overdue.
            at_hand.clock.set(stocked.clock.now());
            EXPECT_THAT(at_hand.pass(), IsEmpty());
        }
        // There is not even a suspected violation, because a page is read in one snapshot.
        EXPECT_EQ(at_hand.value("trackops_audit_suspicions_total"), 0);
    }
    EXPECT_THAT(stocked.everything(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Databases, StockAudit, ::testing::ValuesIn(testing::databases));

}  // namespace
}  // namespace trackops::inventory::adapters
