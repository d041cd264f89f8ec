// The rows of the audit log that the transactions of orders and customers write, on both databases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "order/adapters/api_at_hand_test.hpp"
#include "order/adapters/bulk.hpp"
#include "order/adapters/customer_api.hpp"
#include "order/adapters/sql_customer_store.hpp"
#include "platform/audit_log/chain.hpp"
#include "testing/acts.hpp"
#include "testing/lossy_database.hpp"

namespace trackops::order::adapters {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The API over a database that loses commits. Every request is an act.
class AuditedActs : public ::testing::TestWithParam<std::string> {
protected:
    ~AuditedActs() override { EXPECT_EQ(audit_log::check(*at_hand_.database).violations, 0); }

    // Carries out a request that is the act `name`, and returns its status.
    int act(std::string name, std::string_view method, std::string_view target,
            std::string body = {}, http::Headers headers = {}) {
        http::Calls& calls = target.starts_with("/api/orders") ? at_hand_.calls : customers_calls_;
        last_ = testing::act(std::move(name));
        calls.origin.context.act = last_;
        answer_ = calls.call(method, target, std::move(body), std::move(headers));
        calls.origin.context.act = nullptr;
        return answer_.status;
    }
    std::string placed(std::string name, http::Headers headers = {}) {
        EXPECT_EQ(
            act(std::move(name), "POST", "/api/orders", ApiAtHand::terms(), std::move(headers)),
            201);
        return http::header(answer_, "Location");
    }
    std::vector<std::string> rows() { return testing::audit_rows(*at_hand_.database); }

    ApiAtHand at_hand_{GetParam()};
    testing::LossyDatabase lossy_{*at_hand_.database};
    // The routes for reading keep it.
    std::unique_ptr<app::OrderStore> plain_store_ =
        std::exchange(at_hand_.store, make_sql_order_store(lossy_, at_hand_.clock, at_hand_.ids,
                                                           at_hand_.metrics, recorded_response));
    std::unique_ptr<app::CustomerStore> customers_ = make_sql_customer_store(lossy_);
    http::Calls customers_calls_{customer_routes({*customers_,
                                                  at_hand_.clock,
                                                  at_hand_.ids,
                                                  idempotency_lifetime_default,
                                                  *at_hand_.store,
                                                  {},
                                                  [](std::span<const domain::Order>) {}}),
                                 [] {}};
    AuditedActPtr last_;
    http::Response answer_;
};
INSTANTIATE_TEST_SUITE_P(Databases, AuditedActs, ::testing::ValuesIn(testing::databases));

TEST_P(AuditedActs, LeaveARowWithTheirChange) {
    const std::string order = placed("place");
    EXPECT_TRUE(last_->is_committed);
    EXPECT_EQ(act("cancel", "POST", order + "/cancel"), 200);
    EXPECT_EQ(act("add", "POST", "/api/customers", R"({"id":"c","name":"Ada"})"), 201);
    EXPECT_EQ(act("delete", "DELETE", "/api/customers/c"), 204);
    EXPECT_TRUE(last_->is_committed);
    EXPECT_THAT(rows(),
                ElementsAre("operator:ann place committed x1", "operator:ann cancel committed x1",
                            "operator:ann add committed x1", "operator:ann delete committed x1"));
    at_hand_.placed();  // no act
    EXPECT_EQ(rows().size(), 4U);
}

TEST_P(AuditedActs, LeaveNoRowWhenTheyAreRolledBack) {
    const std::string order = at_hand_.placed();
    lossy_.refuse = 4;
    EXPECT_EQ(act("place", "POST", "/api/orders", ApiAtHand::terms()), 503);
    EXPECT_FALSE(last_->is_committed);
    EXPECT_EQ(act("cancel", "POST", order + "/cancel"), 503);
    EXPECT_FALSE(last_->is_committed);
    EXPECT_EQ(act("add", "POST", "/api/customers", R"({"id":"c","name":"Ada"})"), 503);
    EXPECT_FALSE(last_->is_committed);
    EXPECT_EQ(act("add", "POST", "/api/customers", R"({"id":"c","name":"Ada"})",
                  {{"idempotency-key", "k"}}),
              503);
    EXPECT_EQ(lossy_.refuse, 0);
    EXPECT_THAT(rows(), IsEmpty());
    EXPECT_EQ(at_hand_.rows_of("orders"), 1U);
}

// Whichever commit of a request is the one that fails, the row is where the change is.
TEST_P(AuditedActs, LeaveARowExactlyWhereTheChangeIs) {
    for (int spared = 0; spared < 3; ++spared) {
        const auto customer = fmt::format("c{}", spared);
        const auto body = fmt::format(R"({{"id":"{}","name":"Ada"}})", customer);
        const std::string order = at_hand_.placed();
        const auto has_row = [&] {
            return rows().size() > 0 &&
                   rows().back().starts_with(fmt::format("operator:ann {} {} ", spared, customer));
        };
        lossy_.spare = spared;
        lossy_.refuse = 1;
        act(fmt::format("{} {} cancel", spared, customer), "POST", order + "/cancel");
        EXPECT_EQ(has_row(), at_hand_.found(order).status == domain::Status::cancelled) << spared;
        lossy_.spare = spared;
        lossy_.refuse = 1;
        const auto before = rows().size();
        act(fmt::format("{} {} add", spared, customer), "POST", "/api/customers", body);
        EXPECT_EQ(rows().size() > before, customers_->find(customer).has_value()) << spared;
        lossy_.refuse = 0;
        lossy_.spare = 0;
    }
}

TEST_P(AuditedActs, LeaveNoRowWhenTheyAreRefusedOrChangeNothing) {
    const std::string order = at_hand_.placed();
    EXPECT_EQ(act("ship", "POST", order + "/ship"), 409);
    EXPECT_EQ(act("erase", "POST", "/api/customers/nobody/erase"), 404);
    EXPECT_EQ(act("delete", "DELETE", "/api/customers/nobody"), 404);
    EXPECT_FALSE(last_->is_committed);
    EXPECT_THAT(rows(), IsEmpty());
}

TEST_P(AuditedActs, LeaveOneRowWhenTheAnswerOfTheCommitIsLost) {
    lossy_.lose = 1;
    const std::string order = placed("place");
    EXPECT_TRUE(last_->is_committed);
    lossy_.lose = 1;
    const http::Headers key{{"idempotency-key", "k"}};
    placed("place with a key", key);
    lossy_.lose = 1;
    EXPECT_EQ(act("cancel", "POST", order + "/cancel"), 200);
    EXPECT_TRUE(last_->is_committed);
    lossy_.lose = 1;
    EXPECT_EQ(act("add", "POST", "/api/customers", R"({"id":"c","name":"Ada"})"), 201);
    EXPECT_TRUE(last_->is_committed);
    EXPECT_EQ(lossy_.lose, 0);
    placed("a repeat", key);
    EXPECT_FALSE(last_->is_committed) << "it has done nothing";
    EXPECT_THAT(
        rows(),
        ElementsAre("operator:ann place committed x1", "operator:ann place with a key committed x1",
                    "operator:ann cancel committed x1", "operator:ann add committed x1"));
}

TEST_P(AuditedActs, CountTheLinesOfABulkRequestInOneRowOfATransaction) {
    std::string lines;
    for (int i = 0; i < 5; ++i)
        lines +=
            fmt::format(R"({{"idempotencyKey":"{}",{})", i, ApiAtHand::terms().substr(1)) + "\n";
    EXPECT_EQ(act("bulk", "POST", "/api/orders/bulk", lines), 200) << answer_.body;
    EXPECT_EQ(at_hand_.rows_of("orders"), 5U) << answer_.body;
    EXPECT_EQ(testing::query_column(*at_hand_.database,
                                    "SELECT sum(occurrences) || '' FROM audit_log WHERE action = "
                                    "'bulk' AND outcome = 'committed'"),
              std::vector<std::string>{"5"});
}

TEST_P(AuditedActs, HoldAnErasureAsSoonAsItHasChangedAnOrder) {
    EXPECT_EQ(act("add", "POST", "/api/customers",
                  R"({"id":"018bcfe5-687b-7abc-8123-456789abcdef","name":"Ada"})"),
              201);
    const std::string erase = "/api/customers/018bcfe5-687b-7abc-8123-456789abcdef/erase";
    EXPECT_EQ(act("cancel", "POST", placed("place") + "/cancel"), 200);
    EXPECT_EQ(act("count", "POST", erase, R"({"dryRun":true})"), 200);
    const auto before = rows();
    lossy_.refuse = 1;
    EXPECT_EQ(act("erase", "POST", erase), 503);
    EXPECT_EQ(rows(), before);
    EXPECT_EQ(act("erase", "POST", erase), 200);
    EXPECT_TRUE(last_->is_committed);
    auto after = rows();
    after.erase(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(before.size()));
    EXPECT_THAT(after, ElementsAre("operator:ann erase committed x1",    // of the order
                                   "operator:ann erase committed x1"));  // of the customer
}

}  // namespace
}  // namespace trackops::order::adapters
