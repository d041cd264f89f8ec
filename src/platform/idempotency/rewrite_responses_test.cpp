#include "platform/idempotency/rewrite_responses.hpp"

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

class RewrittenResponses : public ::testing::TestWithParam<std::string> {
protected:
    RewrittenResponses() { sql::migrate(*database_, "idempotency", migrations); }

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
    std::size_t rows_with(std::string_view body) {
        return testing::query_column(
                   *database_,
                   fmt::format("SELECT idempotency_key FROM idempotency_keys WHERE body = '{}'",
                               body))
            .size();
    }

    testing::FreshDatabase fresh_{GetParam()};
    telemetry::Registry metrics_;
    std::unique_ptr<sql::Database> database_ = backends::open_database(fresh_.url(), {}, metrics_);
};
INSTANTIATE_TEST_SUITE_P(Databases, RewrittenResponses, ::testing::ValuesIn(testing::databases));

TEST_P(RewrittenResponses, AreThoseThatAreMeantOnEveryPage) {
    record_numbered(4'001);  // more than two pages
    std::size_t asked = 0;
    const std::size_t changed =
        rewrite_responses(*database_, "\"of\":\"é%\"",
                          [&asked](const RecordedBody& recorded) -> std::optional<std::string> {
                              ++asked;
                              EXPECT_EQ(recorded.body, R"({"of":"é%"})");
                              EXPECT_EQ(recorded.scope, "a POST /x");
                              if (recorded.key == "00000") return std::nullopt;
                              return "ü";
                          });
    EXPECT_EQ(asked, 2'001U);
    EXPECT_EQ(changed, 2'000U);
    EXPECT_EQ(rows_with("ü"), 2'000U);
    EXPECT_EQ(rows_with(R"({"of":"é%"})"), 1U);
    EXPECT_EQ(rows_with(R"({"of":"b"})"), 2'000U);
    EXPECT_EQ(rewrite_responses(*database_, "nothing", [](const auto&) { return "x"; }), 0U);
}

TEST_P(RewrittenResponses, AreStillThoseOfTheirKeys) {
    record_numbered(1);
    rewrite_responses(*database_, "of", [](const auto&) { return "other"; });
    const Key key{"a POST /x", "00000", "f"};
    const Key reused{"a POST /x", "00000", "g"};
    const auto tx = database_->begin(sql::Access::read);
    const auto found = find(*tx, std::vector{key, reused}, recorded_at);
    ASSERT_TRUE(found[0] && *found[0]);
    EXPECT_EQ((*found[0])->body, "other");
    EXPECT_EQ((*found[0])->status, 201);
    EXPECT_EQ(found[1].error().code, Errc::key_reused);
}

// It is recorded anew after it was read.
TEST_P(RewrittenResponses, AreNotThoseThatWereReplacedMeanwhile) {
    record_numbered(1);
    const auto changed = rewrite_responses(*database_, "of", [this](const auto&) {
        const auto tx = database_->begin(sql::Access::write);
        tx->add({.name = "test.replace", .text = "UPDATE idempotency_keys SET body = 'new'"}, {});
        tx->commit();
        return "other";
    });
    EXPECT_EQ(changed, 1U) << "of those that were read";
    EXPECT_EQ(rows_with("new"), 1U);
}

}  // namespace
}  // namespace trackops::idempotency
