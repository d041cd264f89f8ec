// The erasure and the export of a customer, on both databases: a planted person is searched for in
// every table.
#include "order/app/erase_customer.hpp"

#include <array>
#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "order/adapters/api_at_hand_test.hpp"
#include "order/adapters/audit.hpp"
#include "order/adapters/customer_api.hpp"
#include "order/adapters/shipping_addresses.hpp"
#include "order/adapters/sql_customer_store.hpp"
#include "order/app/place_orders.hpp"
#include "platform/audit/check_all.hpp"
#include "testing/lossy_database.hpp"

namespace trackops::order::adapters {
namespace {

using http::header;
using http::Headers;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view marker = "Zyxwvut";
constexpr std::string_view stranger = "Qwertzu";

class ErasedCustomer : public ::testing::TestWithParam<std::string> {
protected:
    http::Response call(std::string_view method, std::string_view target, std::string body = {},
                        Headers headers = {}) {
        if (target.starts_with("/api/orders"))
            return at_hand_.call(method, target, std::move(body), std::move(headers));
        return calls_.call(method, target, std::move(body), std::move(headers));
    }
    Headers key() { return {{"idempotency-key", fmt::format("key-{}", ++keys_)}}; }

    // Registers a customer of this name with an address. Every request has a key.
    void register_person(std::string_view id, std::string_view name) {
        const auto customer =
            call("POST", "/api/customers",
                 fmt::format(R"({{"id":"{0}","name":"{1}","email":"{1}@example.com",)"
                             R"("phone":"{1}","metadata":{{"a":"{1}"}}}})",
                             id, name),
                 key());
        EXPECT_EQ(customer.status, 201) << customer.body;
        EXPECT_EQ(call("PATCH", header(customer, "Location"),
                       fmt::format(R"({{"phone":"{} 2"}})", name), key())
                      .status,
                  200);
        const auto address =
            call("POST", header(customer, "Location") + "/addresses",
                 fmt::format(R"({{"label":"{0}","recipient":"{0}","line1":"{0}","city":"{0}",)"
                             R"("postalCode":"N1","country":"GB","phone":"{0}"}})",
                             name),
                 key());
        EXPECT_EQ(address.status, 201) << address.body;
        address_ = http::member(address, "id");
    }
    // Places an order of the customer and returns its path.
    std::string order_of(std::string_view id, std::string_view name) {
        const auto placed = call(
            "POST", "/api/orders",
            fmt::format(R"({{"customerId":"{}","currency":"GBP","externalRef":"R-1","items":)"
                        R"([{{"sku":"A","quantity":2,"unitAmount":250}}],"shippingAddressId":"{}",)"
                        R"("deliveryInstructions":"{}","metadata":{{"b":"{}"}}}})",
                        id, address_, name, name),
            key());
        EXPECT_EQ(placed.status, 201) << placed.body;
        return header(placed, "Location");
    }
    void finish(const std::string& path) {
        at_hand_.settle(path, domain::ReservationOutcome::reserved);
        for (const auto* step : {"/process", "/ship", "/deliver"})
            EXPECT_EQ(call("POST", path + step, "", key()).status, 200) << step;
    }
    // The rows of all tables that hold the text.
    std::vector<std::string> rows_with(std::string_view text) {
        std::vector<std::string> found;
        const bool is_sqlite = at_hand_.database->dialect() == sql::Dialect::sqlite;
        const auto tables = testing::query_column(
            *at_hand_.database,
            is_sqlite ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE "
                        "'sqlite_%'"
                      : "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM "
                        "information_schema.tables WHERE table_type = 'BASE TABLE' AND "
                        "table_schema NOT IN ('pg_catalog', 'information_schema')");
        EXPECT_GT(tables.size(), 10U);
        for (const std::string& table : tables) {
            std::string row = "CAST(t AS TEXT)";
            if (is_sqlite) {
                row = "''";
                for (const std::string& column : testing::query_column(
                         *at_hand_.database,
                         fmt::format("SELECT name FROM pragma_table_info('{}')", table)))
                    row += fmt::format(" || coalesce(CAST(\"{}\" AS TEXT), '') || ' '", column);
            }
            for (const std::string& line : testing::query_column(
                     *at_hand_.database, fmt::format("SELECT {} FROM {} AS t", row, table))) {
                if (line.find(text) != std::string::npos) found.push_back(table + ": " + line);
            }
        }
        return found;
    }

    ApiAtHand at_hand_{GetParam()};
    std::unique_ptr<app::CustomerStore> customers_ = make_sql_customer_store(*at_hand_.database);
    http::Calls calls_{customer_routes({*customers_,
                                        at_hand_.clock,
                                        at_hand_.ids,
                                        idempotency_lifetime_default,
                                        *at_hand_.store,
                                        {},
                                        [this](std::span<const domain::Order> orders) {
                                            for (const auto& order : orders)
                                                at_hand_.cache.put(order);
                                        }}),
                       [] {}};
    int keys_ = 0;
    std::string address_;  // of the customer that was registered last
};
INSTANTIATE_TEST_SUITE_P(Databases, ErasedCustomer, ::testing::ValuesIn(testing::databases));

TEST_P(ErasedCustomer, LeavesNoTraceOfThePerson) {
    register_person("other", stranger);
    const std::string others = order_of("other", stranger);
    register_person(R"(C \"1\")", marker);
    const std::string delivered = order_of(R"(C \"1\")", marker);
    finish(delivered);
    const std::string cancelled = order_of(R"(C \"1\")", marker);
    EXPECT_EQ(call("POST", cancelled + "/cancel", "", key()).status, 200);
    EXPECT_THAT(call("GET", delivered).body, HasSubstr(std::string(marker)));  // now in the cache
    const auto before = rows_with(stranger);
    ASSERT_GT(rows_with(marker).size(), 8U);

    const auto dry = call("POST", "/api/customers/C%20%221%22/erase", R"({"dryRun":true})");
    EXPECT_EQ(dry.body, R"({"dryRun":true,"orders":2,"addresses":1})");
    ASSERT_GT(rows_with(marker).size(), 8U);
    const Headers same{{"idempotency-key", "erase"}};
    const auto erased = call("POST", "/api/customers/C%20%221%22/erase", "", same);
    EXPECT_EQ(erased.body, R"({"dryRun":false,"orders":2,"addresses":1})");
    EXPECT_THAT(rows_with(marker), ::testing::IsEmpty());
    EXPECT_EQ(rows_with(stranger), before);
    EXPECT_THAT(call("GET", delivered).body,
                AllOf(Not(HasSubstr(std::string(marker))), HasSubstr(R"("totalAmount":500)"),
                      HasSubstr(R"("externalRef":"R-1")"),
                      HasSubstr(R"("shippingAddress":{"line1":"erased","city":"erased",)"
                                R"("postalCode":"erased","country":"GB"})")));
    EXPECT_THAT(call("GET", others).body, HasSubstr(std::string(stranger)));
    EXPECT_EQ(testing::query_column(
                  *at_hand_.database,
                  "SELECT CAST(payload AS TEXT) FROM outbox_events WHERE type = 'CUSTOMER_ERASED'"),
              std::vector<std::string>{R"({"customerId":"C \"1\""})"});
    for (const auto& finding :
         audit::check_all(*at_hand_.database, order_invariants(), {at_hand_.clock.now(), {0}}))
        EXPECT_EQ(finding.violations, 0) << finding.invariant;

    const auto repeated = call("POST", "/api/customers/C%20%221%22/erase", "", same);
    EXPECT_EQ(repeated.body, erased.body);
    EXPECT_EQ(header(repeated, "Idempotency-Replayed"), "true");
    const std::string version = header(call("GET", delivered), "ETag");
    EXPECT_EQ(call("POST", "/api/customers/C%20%221%22/erase").body,
              R"({"dryRun":false,"orders":2,"addresses":0})");
    EXPECT_EQ(header(call("GET", delivered), "ETag"), version) << "nothing was left to erase";
}

TEST_P(ErasedCustomer, HasNoUnfinishedOrder) {
    register_person("c", marker);
    const std::string order = order_of("c", marker);
    for (const auto* body : {"", R"({"dryRun":true})"}) {
        const auto refused = call("POST", "/api/customers/c/erase", body);
        EXPECT_EQ(refused.status, 409);
        EXPECT_THAT(refused.body, HasSubstr("is PENDING"));
    }
    EXPECT_THAT(call("GET", "/api/customers/c").body, HasSubstr(std::string(marker)));
    EXPECT_EQ(call("POST", "/api/customers/nobody/erase").status, 404);
    EXPECT_EQ(call("POST", "/api/customers/c/erase", R"({"dryRun":1})").status, 422);
}

// The order is placed after the erasure has read the customer's orders.
TEST_P(ErasedCustomer, LeavesNoOrderThatIsPlacedMeanwhile) {
    register_person("c", marker);
    std::string meanwhile;
    testing::LossyDatabase slow(*at_hand_.database);
    const auto customers = make_sql_customer_store(slow);
    const auto erase = [&](std::function<void()> first) {
        slow.before_write = std::move(first);
        return app::erase_customer({domain::CustomerId{"c"}, false, "tests", {}, {}, {}},
                                   {*customers,
                                    *at_hand_.store,
                                    at_hand_.clock,
                                    at_hand_.ids,
                                    {},
                                    [](std::span<const domain::Order>) {}},
                                   [](const app::Erasure&) { return RecordedResponse{}; });
    };
    const auto refused = erase([&] { meanwhile = order_of("c", marker); });
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, HasSubstr("is PENDING"));
    EXPECT_EQ(call("GET", "/api/customers/c").status, 200);
    finish(meanwhile);

    const auto erased = erase([&] {
        meanwhile = order_of("c", marker);
        EXPECT_EQ(call("POST", meanwhile + "/cancel", "", key()).status, 200);
    });
    ASSERT_TRUE(erased) << erased.error().detail;
    EXPECT_EQ(erased->erasure.orders, 2);
    EXPECT_THAT(rows_with(marker), ::testing::IsEmpty());
}

TEST_P(ErasedCustomer, IsNotInTheAnswersToRepeatedRequests) {
    const std::string person =
        fmt::format(R"({{"id":"c","name":"{0}","email":"{0}@example.com"}})", marker);
    const std::string home = fmt::format(
        R"({{"label":"{0}","line1":"{0}","city":"{0}","postalCode":"N1","country":"GB"}})", marker);
    std::string terms = ApiAtHand::terms();
    terms.replace(terms.find("018bcfe5-687b-7abc-8123-456789abcdef"), 36, "c");
    terms.replace(terms.find("London"), 6, marker);
    struct Sent {
        std::string path;
        std::string body;
        std::string_view answer;  // behind the id
    };
    const std::vector<Sent> all = {
        {"/api/customers", person, R"("c","version":1,"createdAt")"},
        {"/api/customers/c/addresses", home,
         R"(","customerId":"c","line1":"erased","city":"erased","postalCode":"erased",)"
         R"("country":"GB","isDefault":true,"version":1)"},
        {"/api/orders", terms,
         R"("shippingAddress":{"line1":"erased","city":"erased","postalCode":"erased",)"
         R"("country":"GB"},"version":1)"}};
    const Headers same{{"idempotency-key", "same"}};
    std::vector<std::string> locations;
    for (const Sent& sent : all) {
        const auto answer = call("POST", sent.path, sent.body, same);
        EXPECT_EQ(answer.status, 201) << answer.body;
        EXPECT_THAT(answer.body, HasSubstr(std::string(marker)));
        locations.push_back(header(answer, "Location"));
    }
    EXPECT_EQ(call("POST", locations.back() + "/cancel", "", key()).status, 200);
    EXPECT_EQ(call("POST", "/api/customers/c/erase", "", key()).status, 200);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto repeated = call("POST", all[i].path, all[i].body, same);
        EXPECT_EQ(header(repeated, "Idempotency-Replayed"), "true");
        EXPECT_EQ(repeated.status, 201);
        EXPECT_EQ(header(repeated, "Location"), locations[i]);
        EXPECT_THAT(repeated.body, AllOf(HasSubstr(std::string(all[i].answer)),
                                         Not(HasSubstr(std::string(marker)))));
    }
    EXPECT_THAT(call("GET", "/api/customers/c").body, HasSubstr(R"({"id":"c","version":)"));
    EXPECT_EQ(at_hand_.rows_of("addresses"), 0U);
    EXPECT_EQ(at_hand_.rows_of("orders"), 1U);
}

// Something happens between the transactions of an erasure.
class ErasureInSteps : public ErasedCustomer {
protected:
    static constexpr int steps = 3;  // commits: of the orders, of the answers, of the customer

    void register_finished(const std::string& id) {
        register_person(id, marker);
        finish(order_of(id, marker));
    }
    // Runs `between` behind the step with this number, from 0.
    Result<app::EraseResult> erase(const std::string& id, int number,
                                   const std::function<void()>& between) {
        int seen = 0;
        std::function<void()> look = [&] {
            if (seen++ == number) return between();
            slow_.after_commit = look;
        };
        slow_.after_commit = look;
        auto result = app::erase_customer(
            {domain::CustomerId{id}, false, "tests", {}, key_of(id), {}},
            {*customers_of_slow_,
             *orders_of_slow_,
             at_hand_.clock,
             at_hand_.ids,
             {},
             [](std::span<const domain::Order>) {}},
            [](const app::Erasure&) { return RecordedResponse{200, "done", "", ""}; });
        slow_.after_commit = {};
        return result;
    }
    static IdempotencyKey key_of(const std::string& id) { return {"tests erase", id, "f"}; }

    testing::LossyDatabase slow_{*at_hand_.database};
    std::unique_ptr<app::CustomerStore> customers_of_slow_ = make_sql_customer_store(slow_);
    std::unique_ptr<app::OrderStore> orders_of_slow_ = make_sql_order_store(
        slow_, at_hand_.clock, at_hand_.ids, at_hand_.metrics, recorded_response);
};
INSTANTIATE_TEST_SUITE_P(Databases, ErasureInSteps, ::testing::ValuesIn(testing::databases));

TEST_P(ErasureInSteps, GoesOnAfterACrashBehindAnyOfThem) {
    struct Crash {};
    for (int step = 0; step < steps; ++step) {
        const std::string id = fmt::format("c{}", step);
        register_finished(id);
        EXPECT_THROW((void)erase(id, step, [] { throw Crash(); }), Crash);
        const auto repeated = erase(id, steps, [] { ADD_FAILURE() << "there are more steps"; });
        ASSERT_TRUE(repeated) << repeated.error().detail;
        EXPECT_EQ(repeated->replayed.has_value(), step == steps - 1);
        EXPECT_THAT(rows_with(marker), ::testing::IsEmpty()) << "broken off behind step " << step;
    }
}

// It has an address of its own, so it needs nothing of the customer that is gone.
TEST_P(ErasureInSteps, DoubleNoOrderThatIsPlacedBehindAnyOfThem) {
    for (int step = 0; step < steps; ++step) {
        const std::string id = fmt::format("c{}", step);
        register_finished(id);
        const Headers same{{"idempotency-key", id}};
        std::string terms = ApiAtHand::terms();
        terms.replace(terms.find("018bcfe5-687b-7abc-8123-456789abcdef"), 36, id);
        http::Response placed;
        const auto erased =
            erase(id, step, [&] { placed = call("POST", "/api/orders", terms, same); });
        EXPECT_EQ(erased.has_value(), step == steps - 1);
        ASSERT_EQ(placed.status, 201) << placed.body;
        const auto repeated = call("POST", "/api/orders", terms, same);
        EXPECT_EQ(header(repeated, "Idempotency-Replayed"), "true");
        EXPECT_EQ(repeated.body, placed.body);
    }
}

// An answer that is recorded behind the erasure of answers may show the person.
TEST_P(ErasureInSteps, SeeAChangeOfTheCustomerBehindAnyOfThem) {
    for (int step = 0; step < steps - 1; ++step) {
        const std::string id = fmt::format("c{}", step);
        register_finished(id);
        const auto erased = erase(id, step, [&] {
            EXPECT_EQ(call("PATCH", "/api/customers/" + id,
                           fmt::format(R"({{"phone":"{} 3"}})", marker), key())
                          .status,
                      200);
        });
        ASSERT_TRUE(erased) << erased.error().detail;
        EXPECT_THAT(rows_with(marker), ::testing::IsEmpty()) << "changed behind step " << step;
    }
}

// The address is read for the order, then the customer is erased, then the order is placed.
TEST_P(ErasedCustomer, IsInNoOrderThatNamesTheAddressMeanwhile) {
    register_person("c", marker);
    testing::LossyDatabase slow(*at_hand_.database);
    const auto orders = make_sql_order_store(slow, at_hand_.clock, at_hand_.ids, at_hand_.metrics,
                                             recorded_response);
    app::PlaceOrder command;
    command.terms.customer = domain::CustomerId{"c"};
    command.terms.currency = "GBP";
    command.terms.items = {{"a", {}, 1, 1}};
    command.terms.shipping_address_id = domain::AddressId(Uuid::parse(address_).value());
    slow.before_write = [&] { EXPECT_EQ(call("POST", "/api/customers/c/erase").status, 200); };
    const auto placed =
        app::place_orders(std::vector{command}, *orders, at_hand_.clock, at_hand_.ids, {}).at(0);
    ASSERT_FALSE(placed);
    EXPECT_EQ(placed.error().code, Errc::invalid);
    EXPECT_THAT(rows_with(marker), ::testing::IsEmpty());
}

// A customer with two addresses, and an order that copies some of them and is not committed yet.
// SQLite has one writer.
class CopiedAddresses : public ::testing::Test {
protected:
    CopiedAddresses() {
        EXPECT_EQ(calls_.call("POST", "/api/customers", R"({"id":"c"})").status, 201);
        for (std::string& path : addresses_) {
            const auto added = calls_.call("POST", "/api/customers/c/addresses",
                                           R"({"line1":"1 High St","city":"London",)"
                                           R"("postalCode":"N1","country":"GB"})");
            EXPECT_EQ(added.status, 201) << added.body;
            path = header(added, "Location");
        }
    }
    void copy(const std::string& path) {
        app::NewOrder order;
        domain::OrderTerms& terms = order.record.order.terms;
        terms.customer = domain::CustomerId{"c"};
        terms.shipping_address_id = address_id(path);
        terms.shipping_address = {{}, "1 High St", {}, "London", {}, "N1", "GB", {}};
        keep_addresses(*placing_, {&order, 1});
    }
    static domain::AddressId address_id(std::string_view path) {
        return domain::AddressId(Uuid::parse(path.substr(path.rfind('/') + 1)).value());
    }
    // Sends the request, and runs `meanwhile` while it waits for a lock of the order.
    http::Response call_beside(std::string_view method, const std::string& target, std::string body,
                               const std::function<void()>& meanwhile) {
        http::Response answer;
        std::atomic<bool> is_over = false;
        std::jthread calling([&] {
            answer = calls_.call(method, target, std::move(body));
            is_over = true;
        });
        for (bool waits = false; !waits && !is_over; std::this_thread::yield()) {
            waits = !testing::query_column(*at_hand_.database,
                                           "SELECT CAST(pid AS TEXT) FROM pg_stat_activity WHERE "
                                           "datname = current_database() AND wait_event_type = "
                                           "'Lock'")
                         .empty();
        }
        EXPECT_FALSE(is_over) << "the request did not wait";
        meanwhile();
        calling.join();
        return answer;
    }

    ApiAtHand at_hand_{"postgres"};
    std::unique_ptr<app::CustomerStore> customers_ = make_sql_customer_store(*at_hand_.database);
    http::Calls calls_{customer_routes({*customers_,
                                        at_hand_.clock,
                                        at_hand_.ids,
                                        idempotency_lifetime_default,
                                        *at_hand_.store,
                                        {},
                                        [](std::span<const domain::Order>) {}}),
                       [] {}};
    std::array<std::string, 2> addresses_;  // their paths; the first is the default
    std::unique_ptr<sql::Transaction> placing_ = at_hand_.database->begin(sql::Access::write);
};

TEST_F(CopiedAddresses, KeepTheCustomerFromErasure) {
    copy(addresses_[0]);
    placing_->add({.name = "test.place",
                   .text = "INSERT INTO orders (id, customer_id, status, currency, total_amount, "
                           "shipping_address, version, revision, events_sent, created_at, "
                           "updated_at) VALUES ($1, 'c', 'PENDING', 'GBP', 1, '{}', 1, 1, 1, "
                           "now(), now())"},
                  {at_hand_.ids.next()});
    placing_->flush();
    const auto erased =
        call_beside("POST", "/api/customers/c/erase", "", [&] { placing_->commit(); });
    EXPECT_EQ(erased.status, 409) << erased.body;
    EXPECT_EQ(calls_.call("GET", "/api/customers/c").status, 200);
}

// The default moves back to the first address; the second one, no longer the default, is saved
// first.
TEST_F(CopiedAddresses, AreLockedByChangesInTheSameOrder) {
    ASSERT_EQ(calls_.call("PATCH", addresses_[1], R"({"isDefault":true})").status, 200);
    copy(addresses_[0]);
    const auto changed = call_beside("PATCH", addresses_[0], R"({"isDefault":true})", [&] {
        placing_->add({.name = "test.lock",
                       .text = "SELECT id FROM addresses WHERE id = $1 FOR SHARE NOWAIT"},
                      {address_id(addresses_[1])});
        EXPECT_NO_THROW(placing_->flush()) << "each waits for the other";
        placing_->commit();
    });
    EXPECT_EQ(changed.status, 200) << changed.body;
}

TEST_P(ErasedCustomer, NeedNotBeRegistered) {
    register_person("c", marker);
    const std::string order = order_of("c", marker);
    finish(order);
    EXPECT_EQ(call("DELETE", "/api/customers/c").status, 204);
    EXPECT_EQ(call("POST", "/api/customers/c/erase").body,
              R"({"dryRun":false,"orders":1,"addresses":0})");
    EXPECT_THAT(rows_with(marker), ::testing::IsEmpty());
}

TEST_P(ErasedCustomer, IsExportedWithEverythingThatIsKnown) {
    register_person("c", marker);
    const std::string first = order_of("c", marker);
    const std::string second = order_of("c", marker);
    const auto whole = call("GET", "/api/customers/c/export");
    EXPECT_EQ(whole.status, 200);
    EXPECT_THAT(whole.body,
                AllOf(HasSubstr(R"({"items":[{"customer":{"id":"c")"), HasSubstr(R"({"address":{)"),
                      HasSubstr(R"({"order":)" + call("GET", first).body + "}"),
                      HasSubstr(R"({"order":)" + call("GET", second).body + "}")));
    const auto page = call("GET", "/api/customers/c/export?limit=1");
    EXPECT_THAT(page.body, AllOf(HasSubstr(R"("customer")"), HasSubstr(second.substr(12)),
                                 Not(HasSubstr(first.substr(12)))));
    const std::string link = header(page, "Link");
    const auto rest = call("GET", link.substr(1, link.find('>') - 1));
    EXPECT_THAT(rest.body, AllOf(Not(HasSubstr(R"("customer":)")), HasSubstr(first.substr(12)),
                                 HasSubstr(R"("nextCursor":null)")));
    EXPECT_EQ(call("GET", "/api/customers/nobody/export").status, 404);
}

}  // namespace
}  // namespace trackops::order::adapters
