// The fixture of the order store's contract, on both databases.
#pragma once
#include <map>

#include <gtest/gtest.h>

#include "order/adapters/order_json.hpp"
#include "order/adapters/sql_order_store.hpp"
#include "order/app/advance_sagas.hpp"
#include "order/app/change_orders.hpp"
#include "order/app/place_orders.hpp"
#include "order/app/settle_reservations.hpp"
#include "order/migrations.hpp"
#include "platform/audit_log/migrations.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/idempotency/keys.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"
#include "testing/lossy_database.hpp"

namespace trackops::order::adapters {

inline domain::OrderTerms terms(std::string sku = "85123A") {
    domain::OrderTerms terms;
    terms.customer = domain::CustomerId{uuid_v7({1}, 2, 3).text()};
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
        sql::migrate(*database_, "audit_log", audit_log::migrations);
        sql::migrate(*database_, "order", migrations);
        store_ = make_sql_order_store(*database_, clock_, ids_, metrics_, recorded_response);
    }

    app::PlaceOrder placing(std::optional<IdempotencyKey> key = {}) {
        return {terms(), "anonymous", {"c", "c", "", ""}, std::move(key)};
    }
    std::vector<Result<app::SaveResult>> place(std::vector<app::PlaceOrder> commands) {
        return app::place_orders(commands, *store_, clock_, ids_, {});
    }
    domain::Order placed() { return place({placing()}).at(0).value().order; }
    Result<app::SaveResult> change(domain::OrderId id, domain::Action action,
                                   std::optional<IdempotencyKey> key = {},
                                   std::optional<std::int64_t> version = {}) {
        VersionCondition condition;
        if (version) condition.only = {*version};
        return app::change_orders(std::vector<app::ChangeOrder>{{id,
                                                                 domain::Command{action, "", {}},
                                                                 "anonymous",
                                                                 {},
                                                                 std::move(key),
                                                                 condition}},
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

}  // namespace trackops::order::adapters
