// The chain of the audit log on both databases, and each way to spoil it.
#include "platform/audit_log/chain.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/audit_log/migrations.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/sql/migrations.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"

namespace trackops::audit_log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Instant noon{1'700'000'000'123'456};

class AuditChain : public ::testing::TestWithParam<std::string> {
protected:
    AuditChain() { sql::migrate(*database_, "audit_log", migrations); }

    static Entry entry(std::string actor) {
        return {.at = noon,
                .service = "order-service",
                .actor = std::move(actor),
                .address = "192.0.2.1",
                .action = "POST /api/relay/pause",
                .subject = "/api/relay/pause",
                .outcome = "200",
                .correlation_id = "c"};
    }
    void add(std::vector<Entry> entries) {
        const auto tx = database_->begin(sql::Access::write);
        append(*tx, entries);
        tx->commit();
    }
    void add_five() {
        add({entry("a"), entry("b")});
        add({entry("c")});
        add({entry("d"), entry("e")});
        EXPECT_THAT(faults(), IsEmpty());
    }
    void execute(std::string_view statement) {
        const auto tx = database_->begin(sql::Access::write);
        tx->add({.name = "test.spoil", .text = statement}, {});
        tx->commit();
    }
    // "row N what", for each fault.
    std::vector<std::string> faults() {
        const auto result = check(*database_);
        std::vector<std::string> texts;
        for (const audit::Violation& one : result.examples)
            texts.push_back(one.subject + " " + one.evidence);
        EXPECT_EQ(static_cast<std::size_t>(result.violations), texts.size());
        return texts;
    }

    testing::FreshDatabase fresh_{GetParam()};
    telemetry::Registry metrics_;
    std::unique_ptr<sql::Database> database_ = backends::open_database(fresh_.url(), {}, metrics_);
};
INSTANTIATE_TEST_SUITE_P(Databases, AuditChain, ::testing::ValuesIn(testing::databases));

TEST_P(AuditChain, KeepsWhatItIsGivenInOrder) {
    EXPECT_THAT(faults(), IsEmpty());
    add({});
    EXPECT_EQ(check(*database_).checked, 0);
    add_five();
    EXPECT_EQ(check(*database_).checked, 5);
    const auto tx = database_->begin(sql::Access::read);
    const auto newest = read_below(*tx, std::numeric_limits<std::int64_t>::max(), 2);
    ASSERT_EQ(newest.size(), 2u);
    EXPECT_EQ(newest[0].position, 5);
    EXPECT_EQ(newest[0].entry, entry("e"));
    EXPECT_EQ(newest[0].previous_hash, newest[1].hash);
    const auto oldest = read_below(*tx, 2, 10);
    ASSERT_EQ(oldest.size(), 1u);
    EXPECT_EQ(oldest[0].previous_hash, "");
}

TEST_P(AuditChain, HasNothingOfATransactionThatDidNotCommit) {
    add_five();
    {
        const auto tx = database_->begin(sql::Access::write);
        const Entry lost[] = {entry("lost")};
        append(*tx, lost);
        tx->flush();
    }
    EXPECT_THAT(faults(), IsEmpty());
    EXPECT_EQ(check(*database_).checked, 5);
}

TEST_P(AuditChain, NamesARowThatWasChanged) {
    add_five();
    execute("UPDATE audit_log SET actor = 'somebody else' WHERE position = 3");
    EXPECT_THAT(faults(), ElementsAre(HasSubstr("row 3 was changed")));
    execute("UPDATE audit_log SET actor = 'c' WHERE position = 3");
    EXPECT_THAT(faults(), IsEmpty());
    for (const char* change :
         {"service = 'x'", "address = ''", "action = 'login'", "subject = '/x'", "outcome = '403'",
          "occurrences = 2", "correlation_id = ''", "previous_hash = ''"}) {
        execute(std::string("UPDATE audit_log SET ") + change + " WHERE position = 5");
        EXPECT_THAT(faults(), ElementsAre(HasSubstr("row 5 was changed"))) << change;
        execute("DELETE FROM audit_log WHERE position = 5");
        execute(
            "UPDATE audit_head SET position = 4, hash = (SELECT hash FROM audit_log WHERE "
            "position = 4)");
        add({entry("e")});
    }
}

TEST_P(AuditChain, NamesARowThatWasDeleted) {
    add_five();
    execute("DELETE FROM audit_log WHERE position = 2");
    EXPECT_THAT(faults(), ElementsAre("row 2 is missing", HasSubstr("row 3 does not follow")));
}

TEST_P(AuditChain, NamesTheFirstAndTheLastRowThatWereDeleted) {
    add_five();
    execute("DELETE FROM audit_log WHERE position = 1 OR position = 5");
    EXPECT_THAT(faults(), ElementsAre("row 1 is missing", HasSubstr("row 2 does not follow"),
                                      "row 5 is the head, and the last row is 4"));
    execute("DELETE FROM audit_log");
    EXPECT_THAT(faults(), ElementsAre("row 5 is the head, and the last row is 0"));
}

TEST_P(AuditChain, NamesRowsThatWereSwapped) {
    add_five();
    execute("UPDATE audit_log SET position = 100 WHERE position = 2");
    execute("UPDATE audit_log SET position = 2 WHERE position = 4");
    execute("UPDATE audit_log SET position = 4 WHERE position = 100");
    EXPECT_THAT(faults(),
                ElementsAre(HasSubstr("row 2 was changed"), HasSubstr("row 3 does not follow"),
                            HasSubstr("row 4 was changed"), HasSubstr("row 5 does not follow")));
}

TEST_P(AuditChain, NamesARowThatWasPutIn) {
    add_five();
    execute(
        "INSERT INTO audit_log SELECT 6, at, service, actor, address, action, subject, outcome, "
        "occurrences, correlation_id, previous_hash, hash FROM audit_log WHERE position = 5");
    EXPECT_THAT(faults(), ElementsAre(HasSubstr("row 6 was changed"),
                                      "row 5 is the head, and the last row is 6"));
}

TEST_P(AuditChain, NamesAHeadThatWasMoved) {
    add_five();
    execute("UPDATE audit_head SET hash = 'x'");
    EXPECT_THAT(faults(), ElementsAre(HasSubstr("row 5 is the head with another hash")));
}

TEST(AuditHash, DependsOnTheBordersBetweenItsParts) {
    const Entry one{.at = noon, .service = "ab", .actor = "c", .action = "x", .outcome = "y"};
    Entry other = one;
    other.service = "a";
    other.actor = "bc";
    EXPECT_NE(hash_of(1, one, ""), hash_of(1, other, ""));
    EXPECT_NE(hash_of(1, one, ""), hash_of(2, one, ""));
    EXPECT_NE(hash_of(1, one, ""), hash_of(1, one, "x"));
}

}  // namespace
}  // namespace trackops::audit_log
