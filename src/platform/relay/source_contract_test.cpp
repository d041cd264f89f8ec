// The contract of every source. source_scenarios_test.cpp has the interleavings of several writers.
#include <functional>

#include <gtest/gtest.h>

#include "platform/relay/sources_for_tests.hpp"

namespace trackops::relay {
namespace {

class SourceContract : public ::testing::TestWithParam<std::string> {
protected:
    std::string read(std::size_t max = 100) {
        return outbox::OutboxFixture::names(sources_.read(*source_, max));
    }
    void restart() {
        source_.reset();
        source_ = sources_.make();
    }
    void rewind() {
        source_->rewind();
        until([this] { return source_->claim(); });
    }

    SourceFixture sources_{GetParam()};
    outbox::OutboxFixture& outbox_ = sources_.outbox;
    std::unique_ptr<Source> source_ = sources_.make();
};
INSTANTIATE_TEST_SUITE_P(Sources, SourceContract, ::testing::ValuesIn(source_kinds));

TEST_P(SourceContract, GivesEveryEventOnce) {
    outbox_.commit("a1 b1");
    EXPECT_EQ(read(), "a1 b1");
    EXPECT_EQ(read(), "");
    source_->confirm();
    outbox_.commit("a2");
    outbox_.commit("b2 a3");
    EXPECT_EQ(read(), "a2 b2 a3");
    source_->confirm();
    EXPECT_EQ(read(), "");
}

TEST_P(SourceContract, GivesAtMostWhatIsAskedAndGoesOnThere) {
    outbox_.commit("a1 b1 a2 c1 b2 a3 a4");
    EXPECT_EQ(read(2), "a1 b1");
    EXPECT_EQ(read(2), "a2 c1");
    source_->confirm();
    outbox_.commit("d1");
    EXPECT_EQ(read(2), "b2 a3");
    std::string rest;
    for (std::string more = read(2); !more.empty(); more = read(2)) rest += more + " ";
    EXPECT_EQ(rest, "a4 d1 ");
}

TEST_P(SourceContract, GivesABacklogOfManyBatchesInOrder) {
    std::string all;
    for (char key = 'a'; key <= 'f'; ++key) {
        const std::string events = fmt::format("{0}1 {0}2 {0}3", key);
        outbox_.commit(events);
        all += events + " ";
    }
    std::string got;
    while (true) {
        // Eighteen events are more than four batches.
        const std::string batch = read(2);
        if (batch.empty()) break;
        got += batch + " ";
        source_->confirm();
        // Restarts in the middle of the window.
        if (got.size() == 6 * 3) restart();
    }
    EXPECT_EQ(got, all);
}

TEST_P(SourceContract, GivesWhatWasNotConfirmedAgainAfterRewind) {
    outbox_.commit("a1 a2 a3 a4 a5");
    EXPECT_EQ(read(2), "a1 a2");
    source_->confirm();
    EXPECT_EQ(read(2), "a3 a4");
    rewind();
    EXPECT_EQ(read(2), "a3 a4");
    EXPECT_EQ(read(2), "a5");
    rewind();
    EXPECT_EQ(read(), "a3 a4 a5");
}

TEST_P(SourceContract, StartsAgainFromTheCheckpoint) {
    outbox_.commit("a1 a2 a3");
    EXPECT_EQ(read(1), "a1");
    source_->confirm();
    EXPECT_EQ(read(1), "a2");
    // The event a2 was not confirmed.
    restart();
    outbox_.commit("a4");
    std::string rest;
    for (std::string more = read(); !more.empty(); more = read()) rest += more + " ";
    EXPECT_EQ(rest, "a2 a3 a4 ");
    source_->confirm();
    restart();
    EXPECT_EQ(read(), "");
}

TEST_P(SourceContract, WritesNothingWithoutEvents) {
    const bool is_sqlite = GetParam() == "sqlite-poll";
    const std::string rows = is_sqlite ? "SELECT count(*) FROM relay_checkpoint"
                                       : "SELECT count(*) FROM relay.checkpoint";
    outbox_.commit("a1");
    EXPECT_EQ(read(), "a1");
    // The wal source stores where it begins to read the log.
    EXPECT_EQ(outbox_.number(rows), sources_.is_wal() ? 1 : 0);
    source_->confirm();
    EXPECT_EQ(outbox_.number(rows), 1);
    // SQLite keeps no row versions to compare.
    if (is_sqlite) return;
    const std::string version = "SELECT xmin::text::bigint FROM relay.checkpoint";
    sources_.store_base(*source_);
    const auto before = outbox_.number(version);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(read(), "");
        source_->confirm();
    }
    EXPECT_EQ(outbox_.number(version), before);
}

TEST_P(SourceContract, ListsWhatWaitsInPagesWhileItIsConfirmed) {
    const auto walk = [this](std::size_t max, const std::function<void()>& after_the_first) {
        std::string text;
        std::int64_t at = 0;
        for (auto page = source_->unconfirmed(at, max); !page.empty();
             page = source_->unconfirmed(at, max)) {
            if (at == 0) after_the_first();
            text += outbox::OutboxFixture::names(page) + "|";
            at = page.back().position;
        }
        return text;
    };
    outbox_.commit("a1 b1 a2");
    outbox_.commit("c1 a3");
    EXPECT_EQ(walk(1, [] {}), "a1|b1|a2|c1|a3|");
    EXPECT_EQ(walk(2, [] {}), "a1 b1|a2 c1|a3|");
    EXPECT_EQ(read(3), "a1 b1 a2");
    EXPECT_EQ(walk(2, [this] { source_->confirm(); }), "a1 b1|c1 a3|");
    EXPECT_EQ(walk(1, [this] { outbox_.commit("d1"); }), "c1|a3|d1|");
}

TEST_P(SourceContract, ReportsTheBacklog) {
    EXPECT_EQ(source_->backlog(outbox::noon).events, 0);
    EXPECT_EQ(source_->backlog(outbox::noon).oldest_age, Duration::zero());
    outbox_.commit("a1 a2 b1");
    const Backlog waiting = source_->backlog(outbox::noon + std::chrono::seconds(5));
    EXPECT_EQ(waiting.events, 3);
    EXPECT_EQ(waiting.oldest_age, std::chrono::seconds(5));
    EXPECT_EQ(read(2), "a1 a2");
    // Events that are read but not confirmed still count.
    EXPECT_EQ(source_->backlog(outbox::noon).events, 3);
    source_->confirm();
    outbox_.commit("b2");
    EXPECT_EQ(source_->backlog(outbox::noon).events, 2);
    EXPECT_EQ(outbox::OutboxFixture::names(source_->unconfirmed(0, 10)), "b1 b2");
    EXPECT_EQ(outbox::OutboxFixture::names(source_->unconfirmed(0, 1)), "b1");
    const auto first = source_->unconfirmed(0, 1).at(0).position;
    EXPECT_EQ(outbox::OutboxFixture::names(source_->unconfirmed(first, 10)), "b2");
}

}  // namespace
}  // namespace trackops::relay
