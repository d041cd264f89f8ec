// The routes of customers and addresses on both databases, without a server.
#include "order/adapters/customer_api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "order/adapters/order_json.hpp"
#include "order/adapters/sql_customer_store.hpp"
#include "order/adapters/sql_order_store.hpp"
#include "order/migrations.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/http/calls_for_tests.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"
#include "testing/lossy_database.hpp"
#include "testing/query_column.hpp"

namespace trackops::order::adapters {
namespace {

using http::header;
using http::Headers;
using http::member;
using http::pointers;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view home =
    R"({"line1":"1 High St","city":"London","postalCode":"N1 9GU","country":"GB"})";

class CustomerApi : public ::testing::TestWithParam<std::string> {
protected:
    CustomerApi() {
        sql::migrate(*database_, "outbox", outbox::migrations);
        sql::migrate(*database_, "idempotency", idempotency::migrations);
        sql::migrate(*database_, "order", migrations);
    }
    http::Response call(std::string_view method, std::string_view target, std::string body = {},
                        Headers headers = {}) {
        return calls_.call(method, target, std::move(body), std::move(headers));
    }
    // Makes a customer of the given members and returns its path.
    std::string made(std::string_view members = R"("id":"c-1","name":"Ada")") {
        const auto answer = call("POST", "/api/customers", fmt::format("{{{}}}", members));
        if (answer.status != 201) throw std::runtime_error(answer.body);
        return header(answer, "Location");
    }
    std::string added(const std::string& customer, std::string_view address = home) {
        const auto answer = call("POST", customer + "/addresses", std::string(address));
        if (answer.status != 201) throw std::runtime_error(answer.body);
        return header(answer, "Location");
    }
    static Headers if_match(std::string_view version) {
        return {{"if-match", std::string(version)}};
    }
    static Headers key(std::string_view name) { return {{"idempotency-key", std::string(name)}}; }
    std::vector<std::string> found_by(const std::string& query) {
        return http::joined(http::pages_of(calls_, "/api/customers?" + query, "id"));
    }
    std::size_t rows_of(std::string_view table) {
        return testing::query_column(*database_, fmt::format("SELECT 'x' FROM {}", table)).size();
    }

    telemetry::Registry metrics_;
    testing::FakeClock clock_;
    testing::SeededIds ids_;
    testing::FreshDatabase fresh_{GetParam()};
    std::unique_ptr<sql::Database> database_ = backends::open_database(fresh_.url(), {}, metrics_);
    testing::LossyDatabase lossy_{*database_};
    std::unique_ptr<app::CustomerStore> store_ = make_sql_customer_store(lossy_);
    std::unique_ptr<app::OrderStore> orders_ =
        make_sql_order_store(*database_, clock_, ids_, metrics_, recorded_response);
    static constexpr Duration key_lifetime = std::chrono::hours(1);
    http::Calls calls_{
        customer_routes({*store_, clock_, ids_, key_lifetime, *orders_, {}, [](auto) {}}), [] {}};
};

TEST_P(CustomerApi, KeepsAKeyForTheLifetimeThatIsSet) {
    const auto created = call("POST", "/api/customers", R"({"id":"1"})", key("k"));
    EXPECT_EQ(header(created, "Idempotency-Expires"), (clock_.now() + key_lifetime).text());
    EXPECT_EQ(
        header(call("POST", "/api/customers", R"({"id":"1"})", key("k")), "Idempotency-Expires"),
        header(created, "Idempotency-Expires"));
}

TEST_P(CustomerApi, AnswersACustomerWithWhatWasGiven) {
    const auto created =
        call("POST", "/api/customers",
             R"({"id":"A/42 \u00e9","name":" Ada Lovelace ","email":"Ada@Example.com",)"
             R"("phone":"+44 20 7946 0000","metadata":{"tier":1.50}})");
    EXPECT_EQ(created.status, 201);
    EXPECT_EQ(
        created.body,
        R"({"id":"A/42 é","name":"Ada Lovelace","email":"Ada@Example.com",)"
        R"("phone":"+44 20 7946 0000","metadata":{"tier":1.50},"version":1,)"
        R"("createdAt":"2023-11-14T22:13:20.000000Z","updatedAt":"2023-11-14T22:13:20.000000Z"})");
    EXPECT_EQ(header(created, "Location"), "/api/customers/A%2F42%20%C3%A9");
    EXPECT_EQ(header(created, "ETag"), "\"1\"");
    const auto found = call("GET", header(created, "Location"));
    EXPECT_EQ(found.status, 200);
    EXPECT_THAT(found.body, HasSubstr(R"("name":"Ada Lovelace","email":"Ada@Example.com")"));
    EXPECT_EQ(header(found, "ETag"), "\"1\"");
    EXPECT_EQ(call("POST", "/api/customers", R"({"id":"A/42 é"})").status, 409);

    const auto nameless = call("POST", "/api/customers", "{}");
    EXPECT_EQ(nameless.status, 201);
    EXPECT_TRUE(Uuid::parse(member(nameless, "id"))) << nameless.body;
}

TEST_P(CustomerApi, NamesEveryFaultOfACustomer) {
    const auto refused =
        call("POST", "/api/customers",
             R"({"id":7,"name":7,"email":"nobody","phone":"","metadata":[],"nmae":1})");
    EXPECT_EQ(refused.status, 422);
    EXPECT_THAT(pointers(refused),
                ::testing::UnorderedElementsAre("/id", "/name", "/email", "/metadata", "/nmae"));
    EXPECT_EQ(call("POST", "/api/customers", "{").status, 400);
    EXPECT_EQ(call("PATCH", made(), R"({"id":"other"})").status, 422);
    EXPECT_EQ(rows_of("customers"), 1U);
}

TEST_P(CustomerApi, ChangesWhatIsGivenAndClearsWhatIsNull) {
    const std::string path =
        made(R"("id":"c-1","name":"Ada","email":"a@b","phone":"1","metadata":{"a":1})");
    clock_.advance(std::chrono::seconds(1));
    const auto changed = call("PATCH", path, R"({"name":"Augusta","email":null,"metadata":null})",
                              if_match("\"1\""));
    EXPECT_EQ(changed.status, 200);
    EXPECT_EQ(
        changed.body,
        R"({"id":"c-1","name":"Augusta","phone":"1","version":2,)"
        R"("createdAt":"2023-11-14T22:13:20.000000Z","updatedAt":"2023-11-14T22:13:21.000000Z"})");
    EXPECT_EQ(header(changed, "ETag"), "\"2\"");
    EXPECT_EQ(call("GET", path).body, changed.body);
    EXPECT_EQ(call("PATCH", path, "{}", if_match("\"1\"")).status, 412);
    EXPECT_EQ(call("DELETE", path, "", if_match("\"1\"")).status, 412);
    (void)added(path);
    EXPECT_EQ(call("DELETE", path, "", if_match("\"2\"")).status, 204);
    EXPECT_EQ(rows_of("customers") + rows_of("addresses"), 0U);
    for (const auto* method : {"GET", "PATCH", "DELETE"})
        EXPECT_EQ(call(method, path, "{}").status, 404) << method;
}

TEST_P(CustomerApi, KeepsABookOfAddresses) {
    const std::string customer = made();
    const std::string first = added(customer);
    const auto work = call("POST", customer + "/addresses",
                           R"({"label":"Work","recipient":"Ada","line1":"2","city":"Berlin",)"
                           R"("postalCode":"D-10115","country":"DE","isDefault":true})");
    ASSERT_EQ(work.status, 201);
    const std::string second = header(work, "Location");
    EXPECT_EQ(work.body,
              R"({"id":")" + member(work, "id") +
                  R"(","customerId":"c-1","label":"Work","recipient":"Ada","line1":"2",)"
                  R"("city":"Berlin","postalCode":"D-10115","country":"DE",)"
                  R"("isDefault":true,"version":1,"createdAt":"2023-11-14T22:13:20.000000Z",)"
                  R"("updatedAt":"2023-11-14T22:13:20.000000Z"})");
    EXPECT_EQ(header(call("GET", first), "ETag"), "\"2\"") << "it is no longer the default";
    EXPECT_EQ(call("GET", second).body, work.body);
    const auto moved = call("PATCH", second, R"({"line1":"3","label":null})", if_match("\"1\""));
    EXPECT_EQ(moved.status, 200);
    EXPECT_THAT(moved.body, AllOf(HasSubstr(R"("line1":"3")"), Not(HasSubstr("label"))));
    EXPECT_EQ(pointers(call("PATCH", second, R"({"country":"GB","line1":null,"isDefault":1})")),
              (std::vector<std::string>{"/line1", "/isDefault"}));
    EXPECT_EQ(pointers(call("PATCH", second, R"({"country":"GB"})")),
              std::vector<std::string>{"/postalCode"});
    EXPECT_EQ(pointers(call("POST", customer + "/addresses", R"({"country":"US"})")),
              (std::vector<std::string>{"/line1", "/city", "/postalCode", "/region"}));

    const auto list = call("GET", customer + "/addresses");
    EXPECT_THAT(list.body, AllOf(HasSubstr(R"("isDefault":false)"), HasSubstr(moved.body)));
    EXPECT_EQ(call("DELETE", second).status, 204);
    EXPECT_THAT(call("GET", first).body, HasSubstr(R"("isDefault":true)"));
    EXPECT_EQ(call("GET", second).status, 404);
    const std::string stranger = made(R"("id":"c-2")");
    const std::string id = first.substr(first.rfind('/') + 1);
    EXPECT_EQ(call("GET", stranger + "/addresses/" + id).status, 404);
    EXPECT_EQ(call("DELETE", stranger + "/addresses/" + id).status, 404);
    EXPECT_EQ(call("GET", customer + "/addresses/x").status, 404);
    EXPECT_EQ(call("GET", "/api/customers/nobody/addresses").status, 404);
}

TEST_P(CustomerApi, FindsCustomersByEmailAndName) {
    (void)made(R"("id":"b","name":"Jürgen Ärmel","email":"J.Aermel@Example.com")");
    (void)made(R"("id":"a","name":"Ada Lovelace","email":"ada@example.com")");
    (void)made(R"("id":"c","name":"ADA [100%]_*","email":"ADA@EXAMPLE.COM")");
    (void)made(R"("id":"d")");
    EXPECT_THAT(found_by("limit=2"), ElementsAre(R"("a")", R"("b")", R"("c")", R"("d")"));
    EXPECT_THAT(found_by("email=Ada@example.COM&limit=1"), ElementsAre(R"("a")", R"("c")"));
    EXPECT_THAT(found_by("email=ada@example.co"), ElementsAre());
    EXPECT_THAT(found_by("name=ada"), ElementsAre(R"("a")", R"("c")"));
    EXPECT_THAT(found_by("name=L%C3%A4"), ElementsAre());
    EXPECT_THAT(found_by("name=%C3%A4RMEL"), ElementsAre(R"("b")"));
    EXPECT_THAT(found_by("name=%5B100%25%5D_*"), ElementsAre(R"("c")"));
    EXPECT_THAT(found_by("name=love&email=ada@example.com"), ElementsAre(R"("a")"));
    EXPECT_EQ(pointers(call("GET", "/api/customers?mail=a&limit=0")),
              (std::vector<std::string>{"mail", "limit"}));
    http::expect_pages(calls_, "/api/customers?name=ada", "id", {R"("a")", R"("c")"});
}

TEST_P(CustomerApi, AnswersARepeatedKeyWithTheRecordedAnswer) {
    const auto created = call("POST", "/api/customers", R"({"name":"Ada"})", key("k"));
    const auto repeated = call("POST", "/api/customers", R"({"name":"Ada"})", key("k"));
    EXPECT_EQ(repeated.status, 201);
    EXPECT_EQ(repeated.body, created.body);
    EXPECT_EQ(header(repeated, "Location"), header(created, "Location"));
    EXPECT_EQ(header(repeated, "Idempotency-Replayed"), "true");
    EXPECT_EQ(call("POST", "/api/customers", R"({"name":"Bob"})", key("k")).status, 422);
    const std::string path = header(created, "Location");
    const auto address = call("POST", path + "/addresses", std::string(home), key("k"));
    EXPECT_EQ(call("POST", path + "/addresses", std::string(home), key("k")).body, address.body);
    EXPECT_EQ(rows_of("addresses"), 1U);
    EXPECT_EQ(call("DELETE", path, "", key("k")).status, 204);
    EXPECT_EQ(call("DELETE", path, "", key("k")).status, 204);
    EXPECT_EQ(call("DELETE", path).status, 404);
    EXPECT_EQ(rows_of("customers"), 0U);
}

TEST_P(CustomerApi, HasOneEffectWhenTheAnswerOfACommitIsLost) {
    lossy_.lose = 1;
    const std::string path = made();
    EXPECT_EQ(lossy_.lose, 0);
    lossy_.lose = 1;
    const std::string address = added(path);
    EXPECT_EQ(rows_of("addresses"), 1U);
    EXPECT_EQ(call("GET", address).status, 200);
    lossy_.lose = 1;
    EXPECT_EQ(header(call("PATCH", path, R"({"name":"B"})", key("k")), "ETag"), "\"2\"");
    lossy_.lose = 1;
    EXPECT_EQ(call("DELETE", path).status, 204);
}

// The twin commits between the look at the key and the look at the customer.
TEST_P(CustomerApi, AnswersATwinInFlightAsTheFirst) {
    const auto answer_of_twins = [this](std::string_view method, const std::string& target,
                                        std::string body, Headers headers) {
        http::Response first;
        lossy_.before_write = [&] { first = call(method, target, body, headers); };
        const auto second = call(method, target, body, headers);
        EXPECT_EQ(second.status, first.status) << method << ": " << second.body;
        EXPECT_EQ(second.body, first.body);
        EXPECT_EQ(header(second, "Idempotency-Replayed"), "true");
        return first.status;
    };
    EXPECT_EQ(answer_of_twins("POST", "/api/customers", R"({"id":"1"})", key("a")), 201);
    Headers conditional = key("b");
    conditional.emplace_back("if-match", "\"1\"");
    EXPECT_EQ(answer_of_twins("PATCH", "/api/customers/1", R"({"name":"B"})", conditional), 200);
    EXPECT_EQ(answer_of_twins("DELETE", "/api/customers/1", "", key("c")), 204);
}

TEST_P(CustomerApi, LeavesNoTraceOfARefusedRequest) {
    const std::string path = made();
    const std::size_t claims = rows_of("processed_events");
    EXPECT_EQ(call("POST", "/api/customers", R"({"id":"c-1"})").status, 409);
    EXPECT_EQ(call("POST", "/api/customers", R"({"id":"c-1"})", key("k")).status, 409);
    EXPECT_EQ(call("DELETE", path, "", if_match("\"7\"")).status, 412);
    EXPECT_EQ(rows_of("processed_events"), claims);
    EXPECT_EQ(rows_of("idempotency_keys"), 0U);
}

INSTANTIATE_TEST_SUITE_P(Databases, CustomerApi, ::testing::Values("sqlite", "postgres"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace trackops::order::adapters
