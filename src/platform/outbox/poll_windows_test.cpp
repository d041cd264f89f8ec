// The interleavings that make a reader of an outbox lose or misorder events, step by step, with no
// luck in them. Readers that go by position, id, time or gaps walk through the same scenes and
// fail: the scenes are known to catch them.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "platform/outbox/outbox_for_tests.hpp"

namespace trackops::outbox {
namespace {

// Everything that is committed now.
std::vector<StoredEvent> visible(sql::Database& database) {
    constexpr sql::Query query{.name = "test.visible",
                               .text =
                                   "SELECT position, event_id, aggregate_id, sequence, "
                                   "occurred_at FROM outbox_events ORDER BY position"};
    const auto tx = database.begin(sql::Access::read);
    const sql::Statement& found = tx->add(query, {});
    tx->commit();
    std::vector<StoredEvent> events;
    for (const sql::Row& row : found.rows()) {
        Event event;
        event.id = row.uuid(1);
        event.key = row.uuid(2);
        event.sequence = row.integer(3);
        event.occurred_at = row.instant(4);
        events.push_back({row.integer(0), std::move(event)});
    }
    return events;
}

// A reader that remembers the highest it has seen of something.
class Naive : public Source {
public:
    explicit Naive(sql::Database& database) : database_(database) {}
    std::string_view name() const override { return "naive"; }
    void confirm() override {}
    void rewind() override {}
    Backlog backlog(Instant) override { return {}; }
    std::vector<StoredEvent> unconfirmed(std::int64_t, std::size_t) override { return {}; }

protected:
    template <class Of>
    std::vector<StoredEvent> beyond(Of of, decltype(of(StoredEvent{}))& highest) {
        auto events = visible(database_);
        std::erase_if(events, [&](const StoredEvent& stored) { return of(stored) <= highest; });
        std::ranges::stable_sort(events, {}, of);
        if (!events.empty()) highest = of(events.back());
        return events;
    }
    sql::Database& database_;
};

class ByPosition final : public Naive {
public:
    using Naive::Naive;
    std::vector<StoredEvent> read(std::size_t) override {
        return beyond([](const StoredEvent& stored) { return stored.position; }, highest_);
    }

private:
    std::int64_t highest_ = 0;
};

class ByEventId final : public Naive {
public:
    using Naive::Naive;
    std::vector<StoredEvent> read(std::size_t) override {
        return beyond([](const StoredEvent& stored) { return stored.event.id; }, highest_);
    }

private:
    Uuid highest_;
};

class ByTime final : public Naive {
public:
    using Naive::Naive;
    std::vector<StoredEvent> read(std::size_t) override {
        return beyond([](const StoredEvent& stored) { return stored.event.occurred_at; }, highest_);
    }

private:
    Instant highest_;
};

// Goes on only while no position is missing.
class StopsAtGaps final : public Naive {
public:
    using Naive::Naive;
    std::vector<StoredEvent> read(std::size_t) override {
        std::vector<StoredEvent> events;
        for (StoredEvent& stored : visible(database_)) {
            if (stored.position <= highest_) continue;
            if (stored.position != highest_ + 1) break;
            highest_ = stored.position;
            events.push_back(std::move(stored));
        }
        return events;
    }

private:
    std::int64_t highest_ = 0;
};

class Windows : public ::testing::Test {
protected:
    using Transaction = std::unique_ptr<sql::Transaction>;

    // A transaction that has written events (their positions are drawn) and is still open.
    Transaction open(std::vector<Event> events) {
        auto tx = outbox_.database->begin(sql::Access::write);
        append(*tx, events);
        tx->flush();
        return tx;
    }
    // One that has an xid and has written nothing to the outbox yet.
    Transaction begin() {
        auto tx = outbox_.database->begin(sql::Access::write);
        run(*tx, "SELECT pg_current_xact_id()::text");
        return tx;
    }
    static void run(sql::Transaction& tx, std::string_view statement) {
        tx.add({.name = "test.run", .text = statement}, {});
        tx.flush();
    }
    static std::string read(Source& source, std::size_t max = 100) {
        return OutboxForTests::names(source.read(max));
    }
    static std::vector<Event> one(char key, std::int64_t sequence, std::uint64_t id,
                                  Instant at = noon) {
        return {OutboxForTests::event(key, sequence, id, at)};
    }

    OutboxForTests outbox_{"postgres"};
    std::unique_ptr<Source> source_ = make_poll_source(*outbox_.database);
};

// What is read after each step, joined by '|'.
class Scenes : public Windows {
protected:
    // (a) A long transaction drew its position first and commits last.
    std::string long_transaction(Source& source) {
        auto slow = open(one('s', 1, 1));
        outbox_.commit("a1");
        std::string seen = read(source);
        source.confirm();
        outbox_.commit("b1 a2");
        seen += "|" + read(source);
        source.confirm();
        slow->commit();
        seen += "|" + read(source);
        source.confirm();
        return seen + "|" + read(source);
    }

    // (b) Two writers of one key in turn whose clocks and ids run backwards: the later event has
    // the smaller id and the earlier time.
    std::string skewed_writers(Source& source) {
        auto first = open(one('k', 1, 90, noon + std::chrono::seconds(60)));
        auto other = open(one('m', 1, 50, noon));
        first->commit();
        std::string seen = read(source);
        source.confirm();
        open(one('k', 2, 10, noon - std::chrono::seconds(60)))->commit();
        other->commit();
        seen += "|" + read(source);
        source.confirm();
        return seen + "|" + read(source);
    }

    // (d) Gaps that nobody will ever fill.
    std::string gaps(Source& source) {
        outbox_.commit("a1");
        open(one('x', 1, 1000));  // rolled back
        auto tx = open(one('a', 2, 1001));
        run(*tx, "SAVEPOINT inner_work");
        append(*tx, one('x', 2, 1002));
        tx->flush();
        run(*tx, "ROLLBACK TO SAVEPOINT inner_work");
        run(*tx, "SAVEPOINT again");
        append(*tx, one('a', 3, 1003));
        tx->flush();
        run(*tx, "RELEASE SAVEPOINT again");
        std::string seen = read(source);
        source.confirm();
        tx->commit();
        outbox_.commit("b1");
        seen += "|" + read(source);
        source.confirm();
        return seen + "|" + read(source);
    }
};

TEST_F(Scenes, ALongTransactionDelaysOnlyItsOwnRows) {
    EXPECT_EQ(long_transaction(*source_), "a1|b1 a2|s1|");
}
TEST_F(Scenes, AReaderByPositionLosesTheLongTransaction) {
    ByPosition naive(*outbox_.database);
    EXPECT_EQ(long_transaction(naive), "a1|b1 a2||");
}

TEST_F(Scenes, SkewedClocksAndIdsChangeNothing) {
    EXPECT_EQ(skewed_writers(*source_), "k1|m1 k2|");
}
TEST_F(Scenes, AReaderByIdLosesWhatTheSkewedWritersWrote) {
    ByEventId naive(*outbox_.database);
    EXPECT_EQ(skewed_writers(naive), "k1||");
}
TEST_F(Scenes, AReaderByTimeLosesWhatTheSkewedWritersWrote) {
    ByTime naive(*outbox_.database);
    EXPECT_EQ(skewed_writers(naive), "k1||");
}

TEST_F(Windows, OrdersAKeyByPositionWhateverItsIdsAndTimes) {
    open(one('k', 1, 90, noon + std::chrono::seconds(60)))->commit();
    open(one('k', 2, 10, noon - std::chrono::seconds(60)))->commit();
    EXPECT_EQ(read(*source_), "k1 k2");
    ByEventId by_id(*outbox_.database);
    EXPECT_EQ(read(by_id), "k2 k1");
    ByTime by_time(*outbox_.database);
    EXPECT_EQ(read(by_time), "k2 k1");
}

TEST_F(Scenes, AGapStopsNothing) { EXPECT_EQ(gaps(*source_), "a1|a2 a3 b1|"); }
TEST_F(Scenes, AReaderThatWaitsForGapsStandsStill) {
    StopsAtGaps naive(*outbox_.database);
    EXPECT_EQ(gaps(naive), "a1||");
}

// (c) A batch whose transaction began first and commits between two reads; another commits between
// a read and its confirm.
TEST_F(Windows, TakesABatchThatCommitsBetweenReadsOrBeforeTheConfirm) {
    auto early = begin();
    outbox_.commit("a1 b1");
    EXPECT_EQ(read(*source_), "a1 b1");
    auto between = open(outbox_.parse("c1 c2"));
    source_->confirm();
    append(*early, outbox_.parse("e1 e2"));
    early->commit();
    EXPECT_EQ(read(*source_), "e1 e2");
    between->commit();
    source_->confirm();  // must not confirm c1, which nobody has read
    source_ = make_poll_source(*outbox_.database);
    EXPECT_EQ(read(*source_), "c1 c2");
}

// The same while a window of several pages is open: what commits meanwhile with lower positions
// belongs to the next one.
TEST_F(Windows, KeepsAnOpenWindowApartFromWhatCommitsMeanwhile) {
    auto late = open(outbox_.parse("l1"));
    outbox_.commit("a1 b1 a2 b2 a3 b3 a4 b4 a5 b5");
    EXPECT_EQ(read(*source_, 2), "a1 b1");
    source_->confirm();
    late->commit();
    outbox_.commit("c1");
    EXPECT_EQ(read(*source_, 2), "a2 b2");
    source_->confirm();
    source_ = make_poll_source(*outbox_.database);  // the window is stored
    EXPECT_EQ(read(*source_, 4), "a3 b3 a4 b4");
    EXPECT_EQ(OutboxForTests::names(source_->unconfirmed(0, 10)), "l1 a3 b3 a4 b4 a5 b5 c1");
    EXPECT_EQ(source_->backlog(noon).events, 8);
    source_->confirm();
    EXPECT_EQ(read(*source_, 4), "a5 b5");
    EXPECT_EQ(read(*source_, 4), "l1 c1");
    source_->confirm();
    EXPECT_EQ(read(*source_, 4), "");
    EXPECT_EQ(source_->backlog(noon).events, 0);
}

// Two writers of one key one after the other; the second began first, so its transaction has the
// lower number.
TEST_F(Windows, KeepsTheOrderOfAKeyWhoseSecondWriterBeganFirst) {
    auto second = begin();
    auto first = open(one('k', 1, 1));
    first->commit();
    append(*second, one('k', 2, 2));
    second->commit();
    EXPECT_EQ(read(*source_, 1), "k1");
    EXPECT_EQ(read(*source_, 1), "k2");
}

// Every schedule of four transactions that begin, write and commit in all orders, read after each
// step and confirmed every other time.
TEST_F(Windows, LosesAndDoublesNothingInAnySchedule) {
    std::uint64_t seed = 1;
    const auto dice = [&seed](std::uint64_t below) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        return (seed >> 33) % below;
    };
    std::map<char, std::vector<std::int64_t>> seen;
    std::map<char, std::int64_t> written;
    const auto take = [&](std::size_t max) {
        for (const StoredEvent& stored : source_->read(max)) {
            seen[static_cast<char>(stored.event.key.bytes[15])].push_back(stored.event.sequence);
        }
        source_->confirm();
        if (dice(5) == 0) source_ = make_poll_source(*outbox_.database);
    };
    // Keys a..d stand for rows: each is locked by at most one open transaction.
    std::map<char, Transaction> open_ones;
    std::uint64_t ids = 0;
    for (int step = 0; step < 300; ++step) {
        const char key = static_cast<char>('a' + dice(4));
        if (!open_ones.contains(key)) {
            open_ones.emplace(key, begin());
        } else if (dice(2) == 0) {
            append(*open_ones[key], one(key, ++written[key], 100'000 - ++ids));
            open_ones[key]->flush();
        } else {
            open_ones[key]->commit();
            open_ones.erase(key);
        }
        if (dice(3) == 0) take(1 + dice(4));
    }
    for (auto& [key, tx] : open_ones) tx->commit();
    for (int i = 0; i < 300; ++i) take(3);
    for (const auto& [key, count] : written) {
        std::vector<std::int64_t> expected(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < expected.size(); ++i)
            expected[i] = static_cast<std::int64_t>(i) + 1;
        EXPECT_EQ(seen[key], expected) << key;
    }
}

TEST_F(Windows, MovesItsCheckpointWhenManyTransactionsPassWithoutEvents) {
    outbox_.commit("a1");
    EXPECT_EQ(read(*source_), "a1");
    source_->confirm();
    const std::string before = source_->backlog(noon).position;
    EXPECT_EQ(read(*source_), "");
    source_->confirm();
    EXPECT_EQ(source_->backlog(noon).position, before);
    const auto tx = outbox_.database->begin(sql::Access::write);
    run(*tx,
        "DO $$ BEGIN FOR i IN 1..20000 LOOP BEGIN "
        "CREATE TEMP TABLE IF NOT EXISTS t (n int); INSERT INTO t VALUES (i); "
        "EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$");
    tx->commit();
    EXPECT_EQ(read(*source_), "");
    source_->confirm();
    EXPECT_NE(source_->backlog(noon).position, before);
}

TEST_F(Windows, RefusesACheckpointFromAnotherDatabase) {
    const auto tx = outbox_.database->begin(sql::Access::write);
    run(*tx, "INSERT INTO relay.checkpoint VALUES (1, '900000000:900000000:', NULL, 0)");
    tx->commit();
    EXPECT_THROW(source_->read(10), sql::Failure);
}

}  // namespace
}  // namespace trackops::outbox
