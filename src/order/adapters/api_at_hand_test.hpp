// For tests: the order API on a fresh database of the given kind, without a server or a bus.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "order/adapters/http_api.hpp"
#include "order/adapters/order_json.hpp"
#include "order/adapters/sql_order_store.hpp"
#include "order/app/settle_reservations.hpp"
#include "order/migrations.hpp"
#include "platform/audit_log/migrations.hpp"
#include "platform/backends/open_cache.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/http/calls_for_tests.hpp"
#include "platform/http/idempotency_key.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"
#include "testing/query_column.hpp"

namespace trackops::order::adapters {

class ApiAtHand {
public:
    explicit ApiAtHand(std::string_view kind) : fresh(kind) {
        sql::migrate(*database, "outbox", outbox::migrations);
        sql::migrate(*database, "idempotency", idempotency::migrations);
        sql::migrate(*database, "audit_log", audit_log::migrations);
        sql::migrate(*database, "order", migrations);
    }

    static std::string terms(std::string_view sku = "A", int quantity = 2) {
        return fmt::format(
            R"({{"customerId":"018bcfe5-687b-7abc-8123-456789abcdef","currency":"GBP",)"
            R"("items":[{{"sku":"{}","quantity":{},"unitAmount":250}}],"shippingAddress":)"
            R"({{"line1":"1 High St","city":"London","postalCode":"N1","country":"GB"}}}})",
            sku, quantity);
    }
    http::Response call(std::string_view method, std::string_view target, std::string body = {},
                        http::Headers headers = {}) {
        return calls.call(method, target, std::move(body), std::move(headers));
    }
    // Places an order and returns its path.
    std::string placed() {
        const auto answer = call("POST", "/api/orders", terms());
        if (answer.status != 201) throw std::runtime_error(answer.body);
        return http::header(answer, "Location");
    }
    static domain::OrderId id_of(std::string_view path) {
        return domain::OrderId::parse(path.substr(path.rfind('/') + 1)).value();
    }
    // Applies inventory's reply as another replica does: the cache and the waiters of this one do
    // not see it.
    void settle(std::string_view path, domain::ReservationOutcome answer) {
        const std::vector<app::ReservationReply> replies = {{id_of(path), ids.next(), answer, {}}};
        (void)app::settle_reservations(replies, *store, clock, {}).at(0).value();
    }
    // Returns the stored order.
    domain::Order found(std::string_view path) {
        return store->find(std::vector{id_of(path)}).at(0).value();
    }
    std::size_t rows_of(std::string_view table) {
        return testing::query_column(*database, fmt::format("SELECT 'x' FROM {}", table)).size();
    }

    telemetry::Registry metrics;
    testing::FakeClock clock;
    testing::SeededIds ids;
    testing::FreshDatabase fresh;
    std::unique_ptr<sql::Database> database = backends::open_database(fresh.url(), {}, metrics);
    std::unique_ptr<app::OrderStore> store =
        make_sql_order_store(*database, clock, ids, metrics, recorded_response);
    std::unique_ptr<cache::Cache> entries = backends::open_cache("embedded:", {}, clock, metrics);
    OrderCache cache{*entries, clock};
    PlaceOrderQueue place_queue{
        {},
        [this](std::span<const app::PlaceOrder> batch) {
            return app::place_orders(batch, *store, clock, ids, {});
        },
        [] { return Result<app::SaveResult>(fail(Errc::unavailable, "lost")); }};
    ChangeOrderQueue change_queue{
        {},
        [this](std::span<const app::ChangeOrder> batch) {
            return app::change_orders(batch, *store, clock, ids, {});
        },
        [] { return Result<app::SaveResult>(fail(Errc::unavailable, "lost")); }};
    FindOrderQueue find_queue{
        {},
        [this](std::span<const domain::OrderId> batch) { return cache.find(batch, *store); },
        [] { return Result<CachedOrder>(fail(Errc::unavailable, "lost")); }};
    ConfirmationWaiters confirmation_waiters{*store, clock};
    http::Calls calls{
        // Most tests are about something else than the key.
        http::with_optional_keys(order_routes(
            {place_queue, change_queue, find_queue, confirmation_waiters, cache, *store, clock})),
        [this] {
            place_queue.run({});
            change_queue.run({});
            find_queue.run({});
            confirmation_waiters.run({});
        }};
};

}  // namespace trackops::order::adapters
