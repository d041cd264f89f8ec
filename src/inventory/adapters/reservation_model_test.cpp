// Compares the reservation store with a simple model, with random, duplicate and unordered
// messages.
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "inventory/adapters/inventory_stores_fixture.hpp"

namespace trackops::inventory::adapters {
namespace {

// The expected behaviour, as simple as possible.
struct Model {
    struct Order {
        std::string status;
        std::map<std::string, std::int64_t> held;
    };
    std::map<std::string, std::int64_t> on_hand;
    std::map<domain::OrderId, Order> orders;

    std::int64_t reserved(const std::string& sku) const {
        std::int64_t sum = 0;
        for (const auto& [id, order] : orders) {
            if (order.status == "RESERVED" && order.held.contains(sku)) sum += order.held.at(sku);
        }
        return sum;
    }
    void handle(const domain::OrderMessage& message) {
        Order& order = orders[message.order_id];
        if (message.command == domain::ReservationCommand::create && order.status.empty()) {
            std::map<std::string, std::int64_t> wanted;
            for (const domain::Line& line : message.lines) wanted[line.sku] += line.quantity;
            for (const auto& [sku, quantity] : wanted) {
                if (quantity > on_hand[sku] - reserved(sku)) order.status = "REFUSED";
            }
            if (order.status.empty()) order = {"RESERVED", wanted};
        } else if (message.command == domain::ReservationCommand::cancel) {
            if (order.status.empty()) order.status = "CANCELLED_FIRST";
            if (order.status == "RESERVED") order.status = "RELEASED";
        } else if (message.command == domain::ReservationCommand::ship) {
            if (order.status.empty()) order.status = "REFUSED";
            if (order.status != "RESERVED") return;
            for (const auto& [sku, quantity] : order.held) on_hand[sku] -= quantity;
            order.status = "FULFILLED";
        }
    }
};

class ReservationModel : public ::testing::TestWithParam<std::string> {
protected:
    std::size_t random(std::size_t bound) { return chance() % bound; }

    // Returns the messages of one order. Some come twice: as the same message, or as another
    // message with the same content.
    std::vector<app::IncomingMessage> life_of_an_order() {
        const domain::OrderId order(at_hand.ids.next());
        domain::OrderMessage create{order, domain::ReservationCommand::create};
        for (std::size_t i = 0; i <= random(3); ++i) {
            create.lines.push_back({skus[random(skus.size())], 1 + std::int64_t(random(4))});
        }
        std::vector<app::IncomingMessage> life = {{at_hand.ids.next(), create}};
        if (random(3) == 0)
            life.push_back(
                {at_hand.ids.next(), {order, domain::ReservationCommand::cancel, {}, "R"}});
        if (random(3) == 0)
            life.push_back({at_hand.ids.next(), {order, domain::ReservationCommand::ship}});
        for (std::size_t i = random(3); i > 0; --i) {
            app::IncomingMessage again = life[random(life.size())];
            if (random(2) == 0) again.id = at_hand.ids.next();
            life.push_back(again);
        }
        return life;
    }

    void compare(const Model& model) {
        for (const auto& [sku, on_hand] : model.on_hand) {
            if (sku == "GONE") continue;
            EXPECT_EQ(at_hand.stock(sku), (domain::StockLevel{on_hand, model.reserved(sku)}))
                << sku;
        }
        EXPECT_EQ(at_hand.count("SELECT count(*) FROM inventory_items i WHERE on_hand <> "
                                "(SELECT sum(delta) FROM stock_movements m WHERE m.sku = i.sku)"),
                  0);
        EXPECT_EQ(at_hand.count(R"sql(
            SELECT count(*) FROM
                (SELECT on_hand_after, sum(delta) OVER (PARTITION BY sku ORDER BY position) AS total
                 FROM stock_movements) AS movements
            WHERE on_hand_after <> total
        )sql"),
                  0);
        EXPECT_EQ(at_hand.count(R"sql(
            SELECT count(*) FROM
                (SELECT r.order_id FROM inventory_reservations r
                 LEFT JOIN outbox_events e
                     ON e.aggregate_id = r.order_id AND e.sequence BETWEEN 1 AND r.replies
                 GROUP BY r.order_id, r.replies
                 HAVING count(DISTINCT e.sequence) <> r.replies) AS unanswered
        )sql"),
                  0);
    }

    InventoryStoresFixture at_hand{GetParam()};
    std::mt19937 chance{20'261'123};
    const std::vector<std::string> skus = {"A", "B", "C/1", "GONE"};
};

TEST_P(ReservationModel, AgreesHoweverMessagesCome) {
    Model model{{{"A", 900}, {"B", 2500}, {"C/1", 40}, {"GONE", 0}}, {}};
    for (const auto& [sku, on_hand] : model.on_hand) {
        if (sku != "GONE") at_hand.create_item(sku, on_hand);
    }
    std::vector<app::IncomingMessage> under_way;
    for (int round = 0; round < 60; ++round) {
        for (int order = 0; order < 25; ++order) {
            for (auto& message : life_of_an_order()) under_way.push_back(std::move(message));
        }
        std::ranges::shuffle(under_way, chance);
        const std::size_t size = 1 + random(under_way.size());
        const std::vector<app::IncomingMessage> batch(under_way.end() - std::ptrdiff_t(size),
                                                      under_way.end());
        under_way.resize(under_way.size() - size);
        for (const auto& answer : at_hand.handle(batch)) ASSERT_TRUE(answer);
        for (const app::IncomingMessage& incoming : batch) model.handle(incoming.message);
        if (random(5) == 0) {  // the redelivery is so late that the claims are gone
            const auto tx = at_hand.database->begin(sql::Access::write);
            tx->add({"test.forget", "DELETE FROM processed_events"}, {});
            tx->commit();
        }
        if (random(3) == 0) {
            const auto delta = std::int64_t(random(40)) - 10;
            const std::string sku = skus[random(3)];
            if (at_hand.write(sku, domain::AdjustStock{delta, "COUNT"}))
                model.on_hand[sku] += delta;
        }
    }
    compare(model);
    for (const auto& [id, order] : model.orders) {
        const auto found = at_hand.reader->reservations({.order_id = id}, {}, 1);
        const bool is_listed = order.status != "REFUSED" && order.status != "CANCELLED_FIRST";
        ASSERT_EQ(found.size(), is_listed ? 1 : 0) << order.status;
    }
    for (const auto* status : {"RESERVED", "REFUSED", "RELEASED", "FULFILLED", "CANCELLED_FIRST"}) {
        const auto expected = std::ranges::count(model.orders, status, [](const auto& one) {
            return std::string_view(one.second.status);
        });
        EXPECT_GT(expected, 10) << status;
        const std::string text =
            std::string("SELECT count(*) FROM inventory_reservations WHERE status = '") + status +
            "'";
        EXPECT_EQ(at_hand.count(text), expected) << status;
    }
}

INSTANTIATE_TEST_SUITE_P(Databases, ReservationModel, ::testing::ValuesIn(testing::databases),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace trackops::inventory::adapters
