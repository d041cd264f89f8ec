// Deterministic interleavings of several writers that make a reader of an outbox lose or misorder
// events. Each scenario runs against every source that supports several writers, and against naive
// readers, which must fail it.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "platform/relay/sources_for_tests.hpp"

namespace trackops::relay {
namespace {

// Returns all events that are committed now.
std::vector<outbox::StoredEvent> visible(sql::Database& database) {
    constexpr sql::Query query{.name = "test.visible",
                               .text =
                                   "SELECT position, event_id, aggregate_id, sequence, "
                                   "occurred_at FROM outbox_events ORDER BY position"};
    const auto tx = database.begin(sql::Access::read);
    const sql::Statement& found = tx->add(query, {});
    tx->commit();
    std::vector<outbox::StoredEvent> events;
    for (const sql::Row& row : found.rows()) {
        outbox::Event event;
        event.id = row.uuid(1);
        event.key = row.uuid(2);
        event.sequence = row.integer(3);
        event.occurred_at = row.instant(4);
        events.push_back({row.integer(0), std::move(event)});
    }
    return events;
}

class Naive : public Source {
public:
    explicit Naive(sql::Database& database) : database_(database) {}
    std::string_view name() const override { return "naive"; }
    bool claim() override { return true; }
    void confirm() override {}
    void rewind() override {}
    Backlog backlog(Instant) override { return {}; }
    std::vector<outbox::StoredEvent> unconfirmed(std::int64_t, std::size_t) override { return {}; }

protected:
    // Returns the events whose value of `of` is above `highest`, in the order of that value, and
    // raises `highest`.
    template <class Of>
    std::vector<outbox::StoredEvent> beyond(Of of, decltype(of(outbox::StoredEvent{}))& highest) {
        auto events = visible(database_);
        std::erase_if(events,
                      [&](const outbox::StoredEvent& stored) { return of(stored) <= highest; });
        std::ranges::stable_sort(events, {}, of);
        if (!events.empty()) highest = of(events.back());
        return events;
    }
    sql::Database& database_;
};

// Reads by position. Misses an event that fills a gap later.
class SkipsGaps final : public Naive {
public:
    using Naive::Naive;
    std::vector<outbox::StoredEvent> read(std::size_t) override {
        return beyond([](const outbox::StoredEvent& stored) { return stored.position; }, highest_);
    }

private:
    std::int64_t highest_ = 0;
};

class ByEventId final : public Naive {
public:
    using Naive::Naive;
    std::vector<outbox::StoredEvent> read(std::size_t) override {
        return beyond([](const outbox::StoredEvent& stored) { return stored.event.id; }, highest_);
    }

private:
    Uuid highest_;
};

class ByTime final : public Naive {
public:
    using Naive::Naive;
    std::vector<outbox::StoredEvent> read(std::size_t) override {
        return beyond([](const outbox::StoredEvent& stored) { return stored.event.occurred_at; },
                      highest_);
    }

private:
    Instant highest_;
};

// Reads by position and stops at the first missing position.
class StopsAtGaps final : public Naive {
public:
    using Naive::Naive;
    std::vector<outbox::StoredEvent> read(std::size_t) override {
        std::vector<outbox::StoredEvent> events;
        for (outbox::StoredEvent& stored : visible(database_)) {
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

// Runs a scenario: one reader, and writers on connections of their own.
class Stage {
public:
    using Transaction = std::unique_ptr<sql::Transaction>;

    Stage(SourceFixture& sources, Source& source) : sources_(sources), source_(source) {}

    // Returns an open transaction that has written events, so their positions are drawn.
    Transaction open(const std::vector<outbox::Event>& events) {
        auto tx = begin();
        write(*tx, events);
        return tx;
    }
    // Returns an open transaction that has an xid and has written nothing to the outbox yet.
    Transaction begin() {
        auto tx = sources_.outbox.database->begin(sql::Access::write);
        run(*tx, "SELECT pg_current_xact_id()::text");
        return tx;
    }
    static void write(sql::Transaction& tx, const std::vector<outbox::Event>& events) {
        append(tx, events);
        tx.flush();
    }
    static void run(sql::Transaction& tx, std::string_view statement) {
        tx.add({.name = "test.run", .text = statement}, {});
        tx.flush();
    }
    void commit(std::string_view events) { sources_.outbox.commit(events); }
    // Reads and confirms once. Sorts the events by key, because sources may return the keys in any
    // order; the events of a key stay in their order.
    void step() {
        auto events = sources_.read(source_);
        std::ranges::stable_sort(events, {},
                                 [](const outbox::StoredEvent& each) { return each.event.key; });
        seen += (is_first_ ? "" : "|") + outbox::OutboxFixture::names(events);
        is_first_ = false;
        source_.confirm();
    }

    std::string seen;

private:
    SourceFixture& sources_;
    Source& source_;
    bool is_first_ = true;
};

std::vector<outbox::Event> one(char key, std::int64_t sequence, std::uint64_t id,
                               Instant at = outbox::noon) {
    return {outbox::OutboxFixture::event(key, sequence, id, at)};
}

struct Scene {
    std::string_view name;
    void (*play)(Stage& stage);
    std::string_view expected;
};

// The slow transaction draws its position first and commits last.
void long_transaction(Stage& stage) {
    auto slow = stage.open(one('s', 1, 1));
    stage.commit("a1");
    stage.step();
    stage.commit("b1 a2");
    stage.step();
    slow->commit();
    stage.step();
    stage.step();
}

// Clocks and ids run backwards: the later event has the smaller id and the earlier time.
void skewed_writers(Stage& stage) {
    auto first = stage.open(one('k', 1, 90, outbox::noon + std::chrono::seconds(60)));
    auto other = stage.open(one('m', 1, 50, outbox::noon));
    first->commit();
    stage.step();
    stage.open(one('k', 2, 10, outbox::noon - std::chrono::seconds(60)))->commit();
    other->commit();
    stage.step();
    stage.step();
}

// The same, read in one step.
void skewed_writers_at_once(Stage& stage) {
    stage.open(one('k', 1, 90, outbox::noon + std::chrono::seconds(60)))->commit();
    stage.open(one('k', 2, 10, outbox::noon))->commit();
    stage.step();
}

// Gaps that are never filled, and writes in savepoints.
void gaps(Stage& stage) {
    stage.commit("a1");
    stage.open(one('x', 1, 1000));  // rolled back
    auto tx = stage.open(one('a', 2, 1001));
    Stage::run(*tx, "SAVEPOINT inner_work");
    Stage::write(*tx, one('x', 2, 1002));
    Stage::run(*tx, "ROLLBACK TO SAVEPOINT inner_work");
    Stage::run(*tx, "SAVEPOINT again");
    Stage::write(*tx, one('a', 3, 1003));
    Stage::run(*tx, "RELEASE SAVEPOINT again");
    stage.step();
    tx->commit();
    stage.commit("b1");
    stage.step();
    stage.step();
}

// Two writers of one key, one after the other. The second began first, so its transaction has the
// lower xid.
void second_began_first(Stage& stage) {
    auto second = stage.begin();
    auto first = stage.open(one('k', 1, 1));
    auto apart = stage.open(one('m', 1, 3));
    first->commit();
    Stage::write(*second, one('k', 2, 2));
    Stage::write(*apart, one('n', 1, 4));
    stage.step();
    second->commit();
    stage.step();
    apart->commit();
    stage.step();
}

// A transaction that began first commits between two reads, another one between a read and its
// confirm.
void commits_between(Stage& stage) {
    auto early = stage.begin();
    stage.commit("a1 b1");
    auto between = stage.open(one('c', 1, 1000));
    stage.step();
    Stage::write(*early, one('e', 1, 1001));
    early->commit();
    stage.step();
    between->commit();
    stage.step();
}

constexpr auto scenes = std::to_array<Scene>({
    {"long transaction", long_transaction, "a1|a2 b1|s1|"},
    {"skewed writers", skewed_writers, "k1|k2 m1|"},
    {"skewed writers at once", skewed_writers_at_once, "k1 k2"},
    {"gaps", gaps, "a1|a2 a3 b1|"},
    {"second began first", second_began_first, "k1|k2|m1 n1"},
    {"commits between", commits_between, "a1 b1|e1|c1"},
});

class SourceScenarios : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Sources, SourceScenarios,
                         ::testing::Values("postgres-poll", "postgres-wal"));

TEST_P(SourceScenarios, KeepOrderAndLoseNothing) {
    for (const Scene& scene : scenes) {
        SourceFixture sources(GetParam());
        const auto source = sources.make();
        Stage stage(sources, *source);
        scene.play(stage);
        EXPECT_EQ(stage.seen, scene.expected) << scene.name;
    }
}

// Whether the scene of that name shows what is wrong with the naive source.
template <class Naive>
bool is_caught(std::string_view name) {
    const Scene& scene = *std::ranges::find(scenes, name, &Scene::name);
    SourceFixture sources("postgres-poll");
    Naive naive(*sources.outbox.database);
    Stage stage(sources, naive);
    scene.play(stage);
    return stage.seen != scene.expected;
}

TEST(NaiveSource, ThatSkipsGapsIsCaught) {
    EXPECT_TRUE(is_caught<SkipsGaps>("long transaction"));
    EXPECT_TRUE(is_caught<SkipsGaps>("commits between"));
}
TEST(NaiveSource, ThatWaitsForGapsIsCaught) { EXPECT_TRUE(is_caught<StopsAtGaps>("gaps")); }
TEST(NaiveSource, ThatGoesByIdIsCaught) {
    EXPECT_TRUE(is_caught<ByEventId>("skewed writers"));
    EXPECT_TRUE(is_caught<ByEventId>("skewed writers at once"));
}
TEST(NaiveSource, ThatGoesByTimeIsCaught) {
    EXPECT_TRUE(is_caught<ByTime>("skewed writers"));
    EXPECT_TRUE(is_caught<ByTime>("skewed writers at once"));
}

// One random schedule with a fixed seed: four transactions begin, write and commit. After about a
// third of the steps, the source reads and confirms; about every fifth time it is restarted then.
TEST_P(SourceScenarios, LoseAndDuplicateNothingInAnySchedule) {
    SourceFixture sources(GetParam());
    auto source = sources.make();
    std::uint64_t seed = 1;
    const auto dice = [&seed](std::uint64_t below) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        return (seed >> 33) % below;
    };
    std::map<char, std::vector<std::int64_t>> seen;
    std::map<char, std::int64_t> written;
    const auto take = [&](std::size_t max) {
        const auto events = sources.read(*source, max);
        for (const outbox::StoredEvent& stored : events) {
            seen[static_cast<char>(stored.event.key.bytes[15])].push_back(stored.event.sequence);
        }
        source->confirm();
        if (dice(5) == 0) {
            source.reset();
            source = sources.make();
        }
        return !events.empty();
    };
    // The keys a..d stand for rows: at most one open transaction locks each.
    Stage stage(sources, *source);
    std::map<char, Stage::Transaction> open_ones;
    std::uint64_t ids = 0;
    for (int step = 0; step < 300; ++step) {
        const char key = static_cast<char>('a' + dice(4));
        if (!open_ones.contains(key)) {
            open_ones.emplace(key, stage.begin());
        } else if (dice(2) == 0) {
            Stage::write(*open_ones[key], one(key, ++written[key], 100'000 - ++ids));
        } else {
            open_ones[key]->commit();
            open_ones.erase(key);
        }
        if (dice(3) == 0) take(1 + dice(4));
    }
    for (auto& [key, tx] : open_ones) tx->commit();
    while (take(3)) {
    }
    for (const auto& [key, count] : written) {
        std::vector<std::int64_t> expected(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < expected.size(); ++i)
            expected[i] = static_cast<std::int64_t>(i) + 1;
        EXPECT_EQ(seen[key], expected) << key;
    }
}

}  // namespace
}  // namespace trackops::relay
