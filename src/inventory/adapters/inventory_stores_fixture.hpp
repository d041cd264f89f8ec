// A test fixture: inventory's stores on a fresh database of the given kind.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "inventory/adapters/sql_inventory_reader.hpp"
#include "inventory/adapters/sql_item_store.hpp"
#include "inventory/adapters/sql_reservation_store.hpp"
#include "inventory/app/handle_order_events.hpp"
#include "inventory/app/write_items.hpp"
#include "inventory/migrations.hpp"
#include "platform/audit_log/migrations.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/sql/migrations.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::inventory::adapters {

class InventoryStoresFixture {
public:
    // options: appended to the URL.
    explicit InventoryStoresFixture(std::string_view kind, std::string_view options = {})
        : fresh(kind),
          database(backends::open_database(fresh.url() + std::string(options), {}, metrics)),
          reservations(make_reservation_store(*database, metrics)),
          items(make_item_store(*database)),
          reader(make_inventory_reader(*database, 2)) {
        sql::migrate(*database, "outbox", outbox::migrations);
        sql::migrate(*database, "idempotency", idempotency::migrations);
        sql::migrate(*database, "audit_log", audit_log::migrations);
        sql::migrate(*database, "inventory", inventory::migrations);
    }

    std::vector<Result<app::MessageResult>> handle(
        const std::vector<app::IncomingMessage>& messages) {
        return app::handle_order_events(messages, *reservations, clock, ids);
    }
    Result<app::WriteResult> write(std::string sku, domain::ItemCommand command) {
        const app::ItemWrite one{ids.next(), std::move(sku), std::move(command)};
        return app::write_items({&one, 1}, *items, clock).front();
    }
    void create_item(std::string sku, std::int64_t on_hand) {
        const auto written = write(sku, domain::CreateItem{{.name = "a " + sku}, on_hand});
        if (!written) throw std::runtime_error(written.error().detail);
    }
    domain::StockLevel stock(std::string_view sku) { return reader->item(sku).value().stock; }

    std::int64_t count(std::string_view text) {
        const auto tx = database->begin(sql::Access::read);
        const auto& found = tx->add({text, text}, {});
        tx->flush();
        return found.rows().front().integer(0);
    }

    testing::FreshDatabase fresh;
    telemetry::Registry metrics;
    std::unique_ptr<sql::Database> database;
    std::unique_ptr<app::ReservationStore> reservations;
    std::unique_ptr<app::ItemStore> items;
    std::unique_ptr<app::InventoryReader> reader;
    testing::FakeClock clock;
    testing::SeededIds ids;
};

}  // namespace trackops::inventory::adapters
