// The requests that come into the audit log, and how often they do.
#include "platform/audit_log/trail.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/audit_log/migrations.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/http/route_for_tests.hpp"
#include "platform/sql/migrations.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::audit_log {
namespace {

using namespace std::chrono_literals;
using http::Principal;
using http::Scope;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AuditTrail : public ::testing::Test {
protected:
    AuditTrail() { sql::migrate(*database_, "audit_log", migrations); }

    static std::array<std::uint8_t, 16> address(std::uint8_t host) {
        return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, host};
    }
    static http::Route route(std::string_view method, Scope scope) {
        http::Route route = http::route_for_tests(method, "/api/thing/{id}");
        route.scope = scope;
        return route;
    }
    AuditedActPtr act_of(const Principal& caller, std::string_view method, Scope scope) {
        const auto client = address(1);
        return trail_.act_of({caller, client, route(method, scope), method, "/api/thing/\n", "c"});
    }
    void answered(const Principal& caller, std::string_view method, Scope scope, int status,
                  std::uint8_t host = 1, const AuditedAct* act = nullptr) {
        const http::Route its_route = route(method, scope);
        const auto client = address(host);
        trail_.answered({caller, client, &its_route, method, "/api/thing/\n", status, "c", act});
    }
    // The rows, the oldest first.
    std::vector<std::string> rows() {
        while (trail_.run({}).done > 0) {
        }
        const auto tx = database_->begin(sql::Access::read);
        std::vector<std::string> texts;
        for (const Row& row : read_below(*tx, 1'000'000, 100)) {
            const Entry& entry = row.entry;
            texts.insert(texts.begin(),
                         fmt::format("{} {} {} {} {} x{}", entry.actor, entry.address, entry.action,
                                     entry.subject, entry.outcome, entry.occurrences));
        }
        return texts;
    }

    testing::FreshDatabase fresh_{"sqlite"};
    telemetry::Registry metrics_;
    testing::FakeClock clock_;
    std::unique_ptr<sql::Database> database_ = backends::open_database(fresh_.url(), {}, metrics_);
    Trail trail_{*database_, "order-service", clock_, metrics_};
    const Principal ann_{.name = "operator:ann", .session = "s"};
    const Principal shop_{.name = "key:shop"};
};

TEST_F(AuditTrail, HasTheActsOfOperatorsAndThoseForOperators) {
    answered(ann_, "POST", Scope::orders_write, 201);
    answered(shop_, "POST", Scope::operate, 200);
    answered(shop_, "DELETE", Scope::admin, 409);
    EXPECT_THAT(rows(),
                ElementsAre("operator:ann 192.0.2.1 POST /api/thing/{id} /api/thing/%0A 201 x1",
                            "key:shop 192.0.2.1 POST /api/thing/{id} /api/thing/%0A 200 x1",
                            "key:shop 192.0.2.1 DELETE /api/thing/{id} /api/thing/%0A 409 x1"));
    EXPECT_EQ(check(*database_).violations, 0);
}

TEST_F(AuditTrail, KnowsAnActWhenItArrives) {
    EXPECT_EQ(act_of(ann_, "GET", Scope::operate), nullptr);
    EXPECT_EQ(act_of(ann_, "HEAD", Scope::orders_read), nullptr);
    EXPECT_EQ(act_of(shop_, "POST", Scope::orders_write), nullptr);
    EXPECT_NE(act_of(shop_, "POST", Scope::admin), nullptr);
    EXPECT_NE(act_of(ann_, "DELETE", Scope::orders_write), nullptr);
    const auto act = act_of(shop_, "POST", Scope::operate);
    ASSERT_NE(act, nullptr);
    EXPECT_FALSE(act->is_committed);
    EXPECT_THAT((std::vector{act->service, act->actor, act->address, act->action, act->subject,
                             act->correlation_id}),
                ElementsAre("order-service", "key:shop", "192.0.2.1", "POST /api/thing/{id}",
                            "/api/thing/%0A", "c"));
}

TEST_F(AuditTrail, LeavesAnActToTheTransactionThatHasCommittedIt) {
    const auto act = act_of(ann_, "POST", Scope::orders_write);
    answered(ann_, "POST", Scope::orders_write, 409, 1, act.get());
    EXPECT_EQ(rows().size(), 1U) << "nothing was committed";
    act->is_committed = true;
    answered(ann_, "POST", Scope::orders_write, 201, 1, act.get());
    EXPECT_EQ(rows().size(), 1U);
}

TEST_F(AuditTrail, HasNeitherReadsNorTheTrafficOfPrograms) {
    answered(ann_, "GET", Scope::orders_read, 200);
    answered(ann_, "HEAD", Scope::orders_read, 200);
    answered(shop_, "POST", Scope::orders_write, 201);
    EXPECT_THAT(rows(), IsEmpty());
}

TEST_F(AuditTrail, CountsTheRefusalsOfACallerInOneRowAMinute) {
    for (int i = 0; i < 3; ++i) answered(shop_, "GET", Scope::operate, 403);
    answered(shop_, "GET", Scope::operate, 403, 2);  // a known caller is one, from everywhere
    for (int i = 0; i < 2; ++i) answered(*http::nobody(), "GET", Scope::operate, 401);
    answered(*http::nobody(), "GET", Scope::operate, 401, 2);
    EXPECT_THAT(rows(), IsEmpty());
    clock_.advance(59s);
    EXPECT_THAT(rows(), IsEmpty());
    clock_.advance(1s);
    EXPECT_THAT(rows(), ElementsAre("key:shop 192.0.2.1 refused GET /api/thing/{id} 403 x4",
                                    "nobody 192.0.2.1 refused GET /api/thing/{id} 401 x2",
                                    "nobody 192.0.2.2 refused GET /api/thing/{id} 401 x1"));
    answered(shop_, "GET", Scope::operate, 403);
    trail_.close();
    EXPECT_EQ(rows().size(), 4u);
}

TEST_F(AuditTrail, IsBounded) {
    for (std::size_t i = 0; i < Trail::waiting_max + 5; ++i)
        trail_.note({.actor = "a", .action = "login", .outcome = "accepted"});
    for (std::size_t i = 0; i < Trail::refusing_max + 7; ++i)
        answered({.name = fmt::format("key:{}", i)}, "GET", Scope::operate, 403);
    EXPECT_NE(metrics_.prometheus_text().find("outcome=\"dropped\"} 12"), std::string::npos);
}

TEST_F(AuditTrail, KeepsWhatItCouldNotWrite) {
    answered(ann_, "POST", Scope::orders_write, 201);
    const auto execute = [&](std::string_view statement) {
        const auto tx = database_->begin(sql::Access::write);
        tx->add({.name = "test.rename", .text = statement}, {});
        tx->commit();
    };
    execute("ALTER TABLE audit_head RENAME TO audit_away");
    EXPECT_THROW(trail_.run({}), sql::Failure);
    execute("ALTER TABLE audit_away RENAME TO audit_head");
    EXPECT_EQ(rows().size(), 1u);
}

}  // namespace
}  // namespace trackops::audit_log
