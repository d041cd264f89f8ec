#include "platform/idempotency/keys.hpp"

#include <gtest/gtest.h>

#include "platform/backends/open_database.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/sql/migrations.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"

namespace trackops::idempotency {
namespace {

constexpr Instant noon{1'700'000'000'000'000};

class KeysContract : public ::testing::TestWithParam<std::string> {
protected:
    KeysContract() { sql::migrate(*database_, "idempotency", migrations); }

    std::vector<Result<std::optional<Response>>> look(std::vector<Key> keys, Instant now = noon) {
        const auto tx = database_->begin(sql::Access::read);
        return find(*tx, keys, now);
    }
    std::size_t keep(std::vector<KeyedResponse> responses, Instant now = noon) {
        const auto tx = database_->begin(sql::Access::write);
        const sql::Statement& recorded = record(*tx, responses, now);
        tx->commit();
        return recorded.affected();
    }

    testing::FreshDatabase fresh_{GetParam()};
    telemetry::Registry metrics_;
    std::unique_ptr<sql::Database> database_ = backends::open_database(fresh_.url(), {}, metrics_);
    const Key one_{"anonymous POST /api/orders", "one", "1"};
    const Key two_{"anonymous POST /api/orders", "two", "2"};
    const Response answer_{201, "{\"ü\": \"\\u0000 \\\\\",  \"spaces\" : 1}", "/api/orders/1",
                           "\"1\""};
};
INSTANTIATE_TEST_SUITE_P(Databases, KeysContract, ::testing::ValuesIn(testing::databases));

TEST_P(KeysContract, ReturnsRecordedResponsesByteForByteInOrder) {
    EXPECT_EQ(keep({{one_, answer_}}), 1U);
    const auto found = look({two_, one_});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].value(), std::nullopt);
    EXPECT_EQ(found[1].value(), answer_);
}

TEST_P(KeysContract, RefusesAKeyWithAnotherBody) {
    keep({{one_, answer_}});
    const auto found = look({{one_.scope, one_.key, "other"}, one_});
    ASSERT_FALSE(found[0]);
    EXPECT_EQ(found[0].error().code, Errc::key_reused);
    EXPECT_NE(found[0].error().detail.find(" at " + noon.text()), std::string::npos);
    EXPECT_TRUE(found[1]);
}

TEST_P(KeysContract, FindsWhatVersion01RecordedByTheBytesOfTheBody) {
    keep({{{one_.scope, one_.key, "bytes"}, answer_}});
    const auto found = look({{one_.scope, one_.key, "meaning", "bytes"}});
    ASSERT_TRUE(found[0]);
    EXPECT_EQ(found[0].value(), answer_);
    EXPECT_FALSE(look({{one_.scope, one_.key, "meaning", "other bytes"}})[0]);
    EXPECT_FALSE(look({{one_.scope, one_.key, "meaning"}})[0]);
}

TEST_P(KeysContract, TellsWhenAKeyExpires) {
    Key brief = one_;
    brief.lifetime = std::chrono::minutes(5);
    keep({{brief, answer_}});
    const Instant end = noon + std::chrono::minutes(5);
    EXPECT_EQ(look({brief})[0].value()->expires_at, end);
    EXPECT_EQ(look({brief}, end)[0].value(), std::nullopt);
}

TEST_P(KeysContract, KeepsKeysOfDifferentScopesApart) {
    keep({{one_, answer_}});
    EXPECT_EQ(look({{"somebody POST /api/orders", one_.key, one_.fingerprint}})[0].value(),
              std::nullopt);
    EXPECT_EQ(look({{one_.scope, "ONE", one_.fingerprint}})[0].value(), std::nullopt);
}

TEST_P(KeysContract, ReportsAConcurrentDuplicateAndKeepsItsResponse) {
    keep({{one_, answer_}});
    EXPECT_EQ(keep({{one_, {200, "late", "", ""}}, {two_, answer_}}), 1U);
    EXPECT_EQ(look({one_})[0].value(), answer_);
}

TEST_P(KeysContract, ReplacesAnExpiredAnswer) {
    keep({{one_, answer_}});
    const Response fresh{201, "fresh", "", ""};
    EXPECT_EQ(look({one_}, noon + idempotency_lifetime_default)[0].value(), std::nullopt);
    EXPECT_EQ(keep({{one_, fresh}}, noon + idempotency_lifetime_default - Duration(1)), 0U);
    EXPECT_EQ(keep({{one_, fresh}}, noon + idempotency_lifetime_default), 1U);
    EXPECT_EQ(look({one_}, noon + idempotency_lifetime_default)[0].value(), fresh);
}

TEST_P(KeysContract, LeavesNothingOfARolledBackTransaction) {
    {
        const auto tx = database_->begin(sql::Access::write);
        const std::vector<KeyedResponse> responses = {{one_, answer_}};
        record(*tx, responses, noon);
        tx->flush();
    }
    EXPECT_EQ(look({one_})[0].value(), std::nullopt);
}

TEST_P(KeysContract, ForgetsWhatIsExpiredInBoundedSteps) {
    std::vector<KeyedResponse> responses;
    for (char c = 'a'; c < 'f'; ++c) responses.push_back({{"s", std::string(1, c), "f"}, answer_});
    keep(responses);
    EXPECT_EQ(forget_expired(*database_, noon + idempotency_lifetime_default - Duration(1), 10),
              0U);
    EXPECT_EQ(forget_expired(*database_, noon + idempotency_lifetime_default, 3), 3U);
    EXPECT_EQ(forget_expired(*database_, noon + idempotency_lifetime_default, 3), 2U);
    EXPECT_EQ(forget_expired(*database_, noon + idempotency_lifetime_default, 3), 0U);
}

// PostgreSQL plans for the one row that it has counted.
TEST_P(KeysContract, ForgetsInBoundedStepsAlsoWhereTheTableWasTinyWhenItWasAnalyzed) {
    std::vector<KeyedResponse> responses;
    for (char c = 'a'; c < 'f'; ++c) responses.push_back({{"s", std::string(1, c), "f"}, answer_});
    keep({responses.front()});
    const auto tx = database_->begin(sql::Access::write);
    tx->add({.name = "test.analyze", .text = "ANALYZE idempotency_keys"}, {});
    tx->commit();
    responses.erase(responses.begin());
    keep(responses);
    EXPECT_EQ(forget_expired(*database_, noon + idempotency_lifetime_default, 3), 3U);
    EXPECT_EQ(forget_expired(*database_, noon + idempotency_lifetime_default, 3), 2U);
}

TEST_P(KeysContract, TakesNoKeysAtAll) {
    EXPECT_EQ(keep({}), 0U);
    EXPECT_TRUE(look({}).empty());
}

}  // namespace
}  // namespace trackops::idempotency
