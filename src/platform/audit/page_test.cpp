// The pages of a scan cover every row exactly once, for any page size and any keys.
#include "platform/audit/page.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/audit/auditor.hpp"
#include "platform/audit/check_all.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::audit {
namespace {

using std::chrono::seconds;

constexpr std::int64_t things = 7;

// A scan along one of the table's keys, with an invariant about its rows.
struct Way {
    KeyKind kind;
    std::string column;
    std::string keys;
    std::string violations_query;

    Way(KeyKind its_kind, std::string_view name)
        : kind(its_kind),
          column(name),
          keys(fmt::format(
              "SELECT {0} FROM things WHERE {0} > $1 AND listed = 1 ORDER BY {0} LIMIT $2", name)),
          violations_query(
              fmt::format("SELECT label, 'is bad' FROM things WHERE {0} > $1 AND {0} <= $2 "
                          "AND bad = 1 ORDER BY label",
                          name)) {}
    Scan scan(std::int64_t rows_max) const {
        return {"things", kind, {"test.keys", keys}, rows_max};
    }
    Invariant good(const Scan& scan) const {
        return {.name = "things_are_good",
                .description = "nothing is bad",
                .scan = &scan,
                .violations_query = violations_query};
    }
};

class AuditPages : public ::testing::TestWithParam<std::string> {
protected:
    AuditPages() {
        run("CREATE TABLE things (label text PRIMARY KEY, number bigint, name text, id uuid, "
            "bad integer, listed integer)");
        constexpr auto smallest = std::numeric_limits<std::int64_t>::min();
        constexpr auto largest = std::numeric_limits<std::int64_t>::max();
        const std::vector<std::int64_t> numbers = {smallest + 1, -5, 0, 1, 2, 10, largest};
        const std::vector<std::string> names = {
            "\x01", "a", "aa", "b", "z", "\xc3\xa4", "\xf4\x8f\xbf\xbf"};
        for (std::size_t i = 0; i < things; ++i) {
            Uuid id;
            if (i == things - 1) {
                id.bytes.fill(0xff);
            } else {
                id.bytes[i < 3 ? 15 : 0] = static_cast<std::uint8_t>(i + 1);
            }
            run("INSERT INTO things VALUES ($1, $2, $3, $4, 0, 1)",
                {fmt::to_string(i), numbers[i], names[i], id});
        }
    }
    void run(std::string_view text, sql::Params params = {}) {
        const auto tx = database_->begin(sql::Access::write);
        tx->add({"test.run", text}, std::move(params));
        tx->commit();
    }
    void make_bad(std::string_view which) {
        run(fmt::format("UPDATE things SET bad = CASE WHEN {} THEN 1 ELSE 0 END", which));
    }
    // Returns the violations of a whole pass, in order. Reads every page twice: the results must
    // agree.
    std::vector<std::string> met(const Way& way, std::int64_t rows_max, std::int64_t listed) {
        const Scan scan = way.scan(rows_max);
        const Invariants table = {way.good(scan)};
        std::vector<std::string> subjects;
        std::int64_t rows = 0;
        std::int64_t pages = 0;
        Page page{.range = {{}, start_of(&scan)}};
        while (!page.is_last && pages < 20) {
            page = read_page(*database_, table, &scan, page.range.to, {});
            EXPECT_EQ(reread_page(*database_, table, &scan, page.range, {}), page.violations);
            EXPECT_LE(page.rows, rows_max);
            for (const Violation& violation : page.violations)
                subjects.push_back(violation.subject);
            rows += page.rows;
            ++pages;
        }
        EXPECT_EQ(rows, listed);
        EXPECT_EQ(pages, listed / rows_max + 1);
        return subjects;
    }

    testing::FreshDatabase at_hand_{GetParam()};
    telemetry::Registry metrics_;
    std::unique_ptr<sql::Database> database_ =
        backends::open_database(at_hand_.url(), {}, metrics_);
    const std::vector<Way> ways_ = {
        {KeyKind::integer, "number"}, {KeyKind::text, "name"}, {KeyKind::uuid, "id"}};
};
INSTANTIATE_TEST_SUITE_P(Databases, AuditPages, ::testing::ValuesIn(testing::databases),
                         [](const auto& tested) { return tested.param; });

TEST_P(AuditPages, MeetEachKeyOnce) {
    make_bad("label <> ''");
    for (const Way& way : ways_) {
        for (const std::int64_t rows_max : {1, 2, 3, 6, 7, 8}) {
            EXPECT_THAT(met(way, rows_max, things),
                        ::testing::ElementsAre("0", "1", "2", "3", "4", "5", "6"))
                << way.column << ", pages of " << rows_max;
        }
    }
}

// Rows without a listed key: before the first key, between two keys, at a page border, after the
// last key.
TEST_P(AuditPages, MeetWhatTheWalkDoesNotList) {
    make_bad("label <> ''");
    for (const auto& [gone, listed] :
         std::map<std::string, std::int64_t>{{"label = '0'", 6},
                                             {"label = '3'", 6},
                                             {"label = '6'", 6},
                                             {"label IN ('2', '3', '4')", 4},
                                             {"label <> ''", 0}}) {
        run(fmt::format("UPDATE things SET listed = CASE WHEN {} THEN 0 ELSE 1 END", gone));
        for (const Way& way : ways_) {
            for (const std::int64_t rows_max : {1, 2, 3}) {
                EXPECT_THAT(met(way, rows_max, listed),
                            ::testing::UnorderedElementsAre("0", "1", "2", "3", "4", "5", "6"))
                    << way.column << ", pages of " << rows_max << ", not listed: " << gone;
            }
        }
    }
}

TEST_P(AuditPages, AreCountedOnceByAnAuditorAndOnceByALookAtEverything) {
    make_bad("label <> '3'");
    for (const Way& way : ways_) {
        for (const std::int64_t rows_max : {1, 2, 3, 7, 8}) {
            const Scan scan = way.scan(rows_max);
            telemetry::Registry metrics;
            testing::FakeClock clock;
            Auditor auditor(*database_, clock, {way.good(scan)}, {}, metrics);
            while (metrics.counter("trackops_audit_passes_total", "").value() < 1) {
                if (auditor.run({}).done == 0) clock.advance(seconds(2));
            }
            EXPECT_EQ(metrics
                          .counter("trackops_invariant_violations_total", "",
                                   {{"invariant", "things_are_good"}})
                          .value(),
                      things - 1)
                << way.column << ", pages of " << rows_max;
            EXPECT_EQ(metrics.counter("trackops_audit_rows_total", "").value(), things);
            const Invariants table = {way.good(scan)};
            const InvariantResult finding = check_all(*database_, table, {}).at(0);
            EXPECT_EQ(finding.violations, things - 1) << way.column << ", pages of " << rows_max;
            EXPECT_EQ(finding.checked, things);
            EXPECT_EQ(finding.examples.size(),
                      std::min<std::size_t>(finding.violations, examples_max));
        }
    }
}

}  // namespace
}  // namespace trackops::audit
