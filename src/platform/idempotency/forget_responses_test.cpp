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

constexpr Instant recorded_at{1'700'000'000'000'000};

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
        record(*tx, responses, recorded_at);
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
    const std::size_t deleted = forget_responses(*database_, "\"of\":\"é%\"", recorded_at,
                                                 [&asked](const RecordedBody& recorded) {
                                                     ++asked;
                                                     EXPECT_EQ(recorded.body, R"({"of":"é%"})");
                                                     EXPECT_EQ(recorded.scope, "a POST /x");
                                                     return recorded.key != "00000";
                                                 });
    EXPECT_EQ(asked, 2'001U);
    EXPECT_EQ(deleted, 2'000U);
    EXPECT_EQ(keys().size(), 2'001U);
    EXPECT_EQ(
        forget_responses(*database_, "nothing", recorded_at, [](const auto&) { return true; }), 0U);
}

TEST_P(ForgottenResponses, AreNotThoseThatWereRecordedLater) {
    record_numbered(2);
    const auto all = [](const auto&) { return true; };
    EXPECT_EQ(forget_responses(*database_, "of", recorded_at - std::chrono::microseconds(1), all),
              0U);
    EXPECT_EQ(forget_responses(*database_, "of", recorded_at, all), 2U);
    record_numbered(1);
    const auto tx = database_->begin(sql::Access::write);
    tx->add(
        {.name = "test.as_version_0_1", .text = "UPDATE idempotency_keys SET recorded_at = NULL"},
        {});
    tx->commit();
    EXPECT_EQ(forget_responses(*database_, "of", {}, all), 1U) << "nobody knows when";
}

}  // namespace
}  // namespace trackops::idempotency
