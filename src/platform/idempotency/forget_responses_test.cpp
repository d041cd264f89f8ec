#include "platform/idempotency/forget_responses.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "platform/backends/open_database.hpp"
#include "platform/idempotency/keys.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/sql/migrations.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/query_column.hpp"

namespace trackops::idempotency {
namespace {

class ForgottenResponses : public ::testing::TestWithParam<std::string> {
protected:
    ForgottenResponses() { sql::migrate(*database_, "idempotency", migrations); }

    void record_numbered(std::size_t count) {
        std::vector<KeyedResponse> responses;
        for (std::size_t i = 0; i < count; ++i) {
            responses.push_back(
                {{"a POST /x", fmt::format("{:05}", i), "f"},
                 {201, fmt::format(R"({{"of":"{}"}})", i % 2 == 0 ? "é%" : "b"), "", ""}});
        }
        const auto tx = database_->begin(sql::Access::write);
        record(*tx, responses, {1'700'000'000'000'000});
        tx->commit();
    }
    std::vector<std::string> keys() {
        return testing::query_column(*database_, "SELECT idempotency_key FROM idempotency_keys");
    }

    testing::FreshDatabase fresh_{GetParam()};
    telemetry::Registry metrics_;
    std::unique_ptr<sql::Database> database_ = backends::open_database(fresh_.url(), {}, metrics_);
};
INSTANTIATE_TEST_SUITE_P(Databases, ForgottenResponses, ::testing::ValuesIn(testing::databases));

TEST_P(ForgottenResponses, AreThoseThatAreMeantOnEveryPage) {
    record_numbered(4'001);  // more than two pages
    std::size_t asked = 0;
    const std::size_t deleted =
        forget_responses(*database_, "\"of\":\"é%\"", [&asked](const RecordedBody& recorded) {
            ++asked;
            EXPECT_EQ(recorded.body, R"({"of":"é%"})");
            EXPECT_EQ(recorded.scope, "a POST /x");
            return recorded.key != "00000";
        });
    EXPECT_EQ(asked, 2'001U);
    EXPECT_EQ(deleted, 2'000U);
    EXPECT_EQ(keys().size(), 2'001U);
    EXPECT_EQ(forget_responses(*database_, "nothing", [](const auto&) { return true; }), 0U);
}

}  // namespace
}  // namespace trackops::idempotency
