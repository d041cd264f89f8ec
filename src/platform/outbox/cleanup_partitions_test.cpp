// Tests of the outbox partitions on PostgreSQL: created ahead of need, dropped whole, never
// blocking writers.
#include <atomic>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/backends/open_database.hpp"
#include "platform/outbox/cleanup.hpp"
#include "platform/outbox/outbox_for_tests.hpp"
#include "platform/relay/lease.hpp"
#include "platform/relay/parked_events.hpp"
#include "platform/relay/poll_source.hpp"

namespace trackops::outbox {
namespace {

using ::testing::HasSubstr;
using Transaction = std::unique_ptr<sql::Transaction>;

class Partitions : public ::testing::Test {
protected:
    Partitions() { outbox_.leave_only_the_overflow(); }

    CleanupOptions four_a_partition() const {
        return {.partition_positions = 4, .partitions_ahead = 2};
    }
    runtime::Progress run() { return cleanup_.run(Duration::zero()); }
    void run_to_the_end() {
        while (run().call_again_in == Duration::zero()) continue;
    }
    void make_well_ahead() {
        run();
        Cleanup(*outbox_.database, clock_, {.partition_positions = 200'000}, outbox_.metrics)
            .run(Duration::zero());
        ASSERT_THAT(partitions(), HasSubstr("1-5 5-9 9-200009"));
    }
    void confirm(std::size_t max = 1000) {
        source_->read(max);
        source_->confirm();
    }
    void grow_old() { clock_.advance(std::chrono::hours(25)); }
    // Returns the bounds of the partitions, for example "1-5 5-9".
    std::string partitions() {
        return text(
            "SELECT string_agg(lower || '-' || upper, ' ' ORDER BY lower) "
            "FROM outbox_partitions");
    }
    std::string positions() {
        return text("SELECT string_agg(position::text, ' ' ORDER BY position) FROM outbox_events");
    }
    std::string text(std::string_view select) {
        const auto tx = outbox_.database->begin(sql::Access::read);
        const sql::Statement& found = tx->add({.name = "test.text", .text = select}, {});
        tx->commit();
        return found.rows().at(0).maybe_text(0).value_or("");
    }
    Transaction holding(std::string_view events) {
        auto tx = outbox_.database->begin(sql::Access::write);
        append(*tx, outbox_.parse(events));
        tx->flush();
        return tx;
    }
    // Waits until a session waits for the lock of the whole table. The tested code gives up by
    // itself.
    void await_waiting() {
        while (outbox_.number("SELECT count(*) FROM pg_locks WHERE NOT granted AND "
                              "mode = 'AccessExclusiveLock' AND database = (SELECT oid FROM "
                              "pg_database WHERE datname = current_database())") == 0) {
            std::this_thread::yield();
        }
    }
    // Waits until killed sessions have released their locks. The server reports the end of a
    // session before that.
    void await_the_end_of_the_killed() {
        while (outbox_.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND "
                              "database = (SELECT oid FROM pg_database WHERE "
                              "datname = current_database())") > 0) {
            std::this_thread::yield();
        }
    }
    void wait_for_locks_up_to(std::string_view limit) {
        outbox_.execute(
            fmt::format("ALTER FUNCTION outbox_drop_partition(timestamptz, timestamptz) SET "
                        "lock_timeout = '{}'",
                        limit));
    }
    // Returns false if a partition was attached where this transaction wrote, so that it must be
    // retried. Other transactions commit during `pause`.
    bool has_committed(std::span<const Event> events, Duration pause) {
        try {
            const auto tx = outbox_.database->begin(sql::Access::write);
            append(*tx, events);
            tx->flush();
            std::this_thread::sleep_for(pause);
            tx->commit();
            return true;
        } catch (const sql::Failure& failure) {
            EXPECT_EQ(failure.fault, sql::Fault::retryable) << failure.what();
            return failure.fault != sql::Fault::retryable;
        }
    }
    std::string metrics() { return outbox_.metrics.prometheus_text(); }

    OutboxFixture outbox_{"postgres"};
    testing::FakeClock clock_{noon};
    std::unique_ptr<relay::Source> source_ = relay::make_poll_source(*outbox_.database);
    Cleanup cleanup_{*outbox_.database, clock_, four_a_partition(), outbox_.metrics};
    // This cleanup has no partitions to create, however fast others write. So its only waiting
    // statement is a drop.
    Cleanup well_ahead_{*outbox_.database,
                        clock_,
                        {.partition_positions = 100'000, .partitions_ahead = 1},
                        outbox_.metrics};
};

TEST_F(Partitions, AreMadeAheadOfNeed) {
    run();
    EXPECT_EQ(partitions(), "1-5 5-9");
    run();
    EXPECT_EQ(partitions(), "1-5 5-9");
    outbox_.commit("a1 a2 a3 a4 a5");
    EXPECT_EQ(run().call_again_in, std::chrono::seconds(30));
    EXPECT_EQ(partitions(), "1-5 5-9 9-13 13-17");
    EXPECT_THAT(metrics(), HasSubstr("trackops_outbox_overflowing 0"));
    EXPECT_EQ(positions(), "1 2 3 4 5");
}

TEST_F(Partitions, AreDroppedWholeWhenConfirmedAndOld) {
    run();
    outbox_.commit("a1 a2 a3 a4 a5 a6");
    confirm();
    outbox_.commit("a7");
    confirm();
    run_to_the_end();
    EXPECT_EQ(positions(), "1 2 3 4 5 6 7");
    grow_old();
    EXPECT_EQ(run().call_again_in, Duration::zero());
    EXPECT_EQ(positions(), "5 6 7");
    run_to_the_end();
    // Position 8 has not been drawn.
    EXPECT_EQ(partitions(), "5-9 9-13 13-17");
    EXPECT_THAT(metrics(), HasSubstr("trackops_outbox_partitions_dropped_total 1"));
}

TEST_F(Partitions, AreKeptWhileOneEventIsNotConfirmed) {
    run();
    outbox_.commit("a1 a2 a3 a4 a5");
    grow_old();
    run_to_the_end();
    // No relay has ever run.
    EXPECT_EQ(positions(), "1 2 3 4 5");
    // The window stays open, and position 4 is in it.
    source_->read(3);
    source_->confirm();
    run_to_the_end();
    EXPECT_EQ(positions(), "1 2 3 4 5");
    confirm();
    confirm();
    run_to_the_end();
    EXPECT_EQ(positions(), "5");
}

TEST_F(Partitions, AreKeptWhileOneOfTheirLastEventsIsYoung) {
    run();
    outbox_.commit("a1 a2");
    grow_old();
    auto young = OutboxFixture::event('y', 1, 50, clock_.now());
    const auto tx = outbox_.database->begin(sql::Access::write);
    append(*tx, std::span(&young, 1));
    append(*tx, outbox_.parse("a3 a4"));
    tx->commit();
    confirm();
    run_to_the_end();
    EXPECT_EQ(positions(), "1 2 3 4 5");
    grow_old();
    run_to_the_end();
    EXPECT_EQ(positions(), "5");
}

TEST_F(Partitions, AreNotHeldByADateFarInTheFuture) {
    run();
    auto strange = OutboxFixture::event('s', 1, 50, noon + std::chrono::hours(24 * 365));
    const auto tx = outbox_.database->begin(sql::Access::write);
    append(*tx, outbox_.parse("a1 a2 a3"));
    append(*tx, std::span(&strange, 1));
    tx->commit();
    outbox_.commit("a4");
    confirm();
    run_to_the_end();
    EXPECT_EQ(positions(), "1 2 3 4 5");
    grow_old();
    run_to_the_end();
    EXPECT_EQ(positions(), "5");
}

// The age of the youngest of a partition's last events, and what its retention makes of it.
TEST_F(Partitions, AreDroppedJustPastTheRetentionOfTheirYoungestEvent) {
    constexpr Duration day = std::chrono::hours(24);
    run();
    const Instant now = noon + day;
    const auto tx = outbox_.database->begin(sql::Access::write);
    append(*tx, outbox_.parse("a1 a2"));
    const auto young = OutboxFixture::event('y', 1, 50, noon + Duration(1));
    append(*tx, std::span(&young, 1));
    append(*tx, outbox_.parse("a3 a4"));
    tx->commit();
    confirm();
    for (const Duration age : {day - Duration(1), day}) {
        clock_.set(young.occurred_at + age);
        run_to_the_end();
        EXPECT_EQ(positions(), "1 2 3 4 5") << age.count();
    }
    clock_.set(now + Duration(2));
    run_to_the_end();
    EXPECT_EQ(positions(), "5");
}

// A day ahead is the furthest that a clock is believed.
TEST_F(Partitions, AreHeldByADateThatLiesAheadByLessThanTheRetention) {
    constexpr Duration day = std::chrono::hours(24);
    run();
    const auto ahead = OutboxFixture::event('s', 1, 50, noon + 3 * day);
    const auto tx = outbox_.database->begin(sql::Access::write);
    append(*tx, outbox_.parse("a1 a2 a3"));
    append(*tx, std::span(&ahead, 1));
    tx->commit();
    outbox_.commit("a4");
    confirm();
    clock_.set(ahead.occurred_at - day + Duration(1));
    run_to_the_end();
    EXPECT_EQ(positions(), "1 2 3 4 5");
    clock_.set(ahead.occurred_at - day);
    run_to_the_end();
    EXPECT_EQ(positions(), "5");
}

TEST_F(Partitions, AreKeptWithWhatIsParkedAndOthersAreDropped) {
    run();
    outbox_.commit("a1 a2 a3 a4");
    run();
    outbox_.commit("b1 b2 b3 b4 b5");
    const auto events = source_->read(100);
    const relay::ParkedEvent parked{events[1].position, events[1].event, "too large", noon};
    relay::Lease(*outbox_.database, clock_, "one", std::chrono::hours(1)).acquire_or_renew();
    EXPECT_EQ(relay::ParkedEvents(*outbox_.database).add(std::span(&parked, 1), "one"), 1U);
    source_->confirm();
    grow_old();
    run_to_the_end();
    EXPECT_EQ(positions(), "1 2 3 4 9");
    EXPECT_TRUE(
        relay::ParkedEvents(*outbox_.database).remove(parked.position, "one", nullptr, Instant{}));
    run_to_the_end();
    EXPECT_EQ(positions(), "9");
}

TEST_F(Partitions, AreKeptWhenTheCheckpointIsOfAnotherCluster) {
    run();
    outbox_.commit("a1 a2 a3 a4 a5");
    outbox_.execute("INSERT INTO relay.checkpoint VALUES (1, '999999999:999999999:', NULL, 0)");
    grow_old();
    run_to_the_end();
    EXPECT_EQ(positions(), "1 2 3 4 5");
}

TEST_F(Partitions, AreNotDroppedByWhoCannotSeeWhatCommitsMeanwhile) {
    // The isolation level is REPEATABLE READ.
    const auto tx = outbox_.database->begin(sql::Access::read);
    tx->add({.name = "drop", .text = "SELECT outbox_drop_partition($1, $1)"}, {noon});
    EXPECT_THROW(tx->commit(), sql::Failure);
}

// A long transaction holds position 4. The cleanup waits 100 ms for the lock while a writer queues
// behind it, and then gives up.
TEST_F(Partitions, GiveWayToWritersWhileALongTransactionRuns) {
    make_well_ahead();
    outbox_.commit("a1 a2 a3");
    confirm();
    const Transaction late = holding("l1");
    grow_old();
    auto dropping =
        std::async(std::launch::async, [&] { return well_ahead_.run(Duration::zero()); });
    do {
        // Each commit succeeds, whether the cleanup or the writer waits.
        outbox_.commit("a4");
    } while (dropping.wait_for(std::chrono::seconds(0)) != std::future_status::ready);
    EXPECT_EQ(dropping.get().call_again_in, std::chrono::seconds(1));
    EXPECT_THAT(metrics(), HasSubstr("trackops_cleanup_gave_way_total 1"));
    EXPECT_THAT(positions(), HasSubstr("1 2 3 5"));
    late->commit();
    confirm();
    outbox_.commit("b1");
    confirm();
    run_to_the_end();
    EXPECT_EQ(partitions().find("1-5"), std::string::npos);
    EXPECT_EQ(source_->backlog(noon).events, 0);
}

// All visible rows of the partition were confirmed when the cleanup looked. Then position 4 was
// committed.
TEST_F(Partitions, SeeWhatCommitsWhileTheDropWaits) {
    make_well_ahead();
    outbox_.commit("a1 a2 a3");
    confirm();
    wait_for_locks_up_to("30s");
    Transaction late = holding("l1");
    outbox_.commit("b1");
    grow_old();
    auto dropping =
        std::async(std::launch::async, [&] { return well_ahead_.run(Duration::zero()); });
    await_waiting();
    late->commit();
    EXPECT_EQ(dropping.get().done, 0U);
    EXPECT_EQ(positions(), "1 2 3 4 5");
    EXPECT_EQ(OutboxFixture::names(source_->read(10)), "l1 b1");
}

TEST_F(Partitions, AreWorkedOnByOneReplicaAtATime) {
    run();
    outbox_.commit("a1 a2 a3 a4 a5");
    confirm();
    grow_old();
    const auto other = outbox_.database->begin(sql::Access::write);
    other->add({.name = "lock", .text = "SELECT pg_advisory_xact_lock(7226014824)"}, {});
    other->flush();
    const auto progress = run();
    EXPECT_EQ(progress.done, 0U);
    EXPECT_EQ(progress.call_again_in, std::chrono::seconds(30));
    EXPECT_EQ(positions(), "1 2 3 4 5");
    other->commit();
    run_to_the_end();
    EXPECT_EQ(positions(), "5");
}

TEST_F(Partitions, AreWholeAfterAKillInTheMiddle) {
    make_well_ahead();
    outbox_.commit("a1 a2 a3 a4");
    confirm();
    wait_for_locks_up_to("30s");
    const Transaction late = holding("l1");
    grow_old();
    auto dropping =
        std::async(std::launch::async, [&] { return well_ahead_.run(Duration::zero()); });
    await_waiting();
    EXPECT_EQ(outbox_.number("SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE NOT "
                             "granted AND mode = 'AccessExclusiveLock' AND database = (SELECT oid "
                             "FROM pg_database WHERE datname = current_database())"),
              1);
    EXPECT_THROW(dropping.get(), sql::Failure);
    await_the_end_of_the_killed();
    late->commit();
    EXPECT_EQ(positions(), "1 2 3 4 5");
    run_to_the_end();
    EXPECT_EQ(positions(), "5");
}

// No partitions were created for a while. The outbox refuses nothing, reports the overflow and
// recovers.
TEST_F(Partitions, OverflowRatherThanRefuse) {
    run();
    outbox_.commit("a1 a2 a3 a4 a5 a6 a7 a8 a9");
    confirm();
    EXPECT_EQ(text("SELECT tableoid::regclass::text FROM outbox_events WHERE position = 9"),
              "outbox_events_overflow");
    run();
    EXPECT_EQ(partitions(), "1-5 5-9 10-14 14-18");
    outbox_.commit("b1");
    EXPECT_EQ(text("SELECT tableoid::regclass::text FROM outbox_events WHERE position = 10"),
              "outbox_events_10");
    run();
    EXPECT_THAT(metrics(), HasSubstr("trackops_outbox_overflowing 1"));
    confirm();
    grow_old();
    run_to_the_end();
    EXPECT_EQ(positions(), "10");
    run();
    EXPECT_THAT(metrics(), HasSubstr("trackops_outbox_overflowing 0"));
}

TEST(PartitionsOf, AnInstalledDatabaseKeepItsEvents) {
    OutboxFixture outbox("postgres");
    const testing::FreshDatabase old("postgres");
    const auto database = backends::open_database(old.url(), {}, outbox.metrics);
    std::vector<sql::MigrationFile> before(std::begin(migrations), std::end(migrations));
    std::erase_if(before, [](const auto& file) { return file.name >= "0003"; });
    sql::migrate(*database, "outbox", before);
    const auto commit = [&](std::string_view events) {
        const auto tx = database->begin(sql::Access::write);
        append(*tx, outbox.parse(events));
        tx->commit();
    };
    commit("a1 a2");
    const auto tx = database->begin(sql::Access::write);
    tx->add({.name = "test.confirm",
             .text = "INSERT INTO relay.checkpoint VALUES (1, pg_current_snapshot(), NULL, 0)"},
            {});
    tx->commit();
    commit("b1");
    sql::migrate(*database, "outbox", migrations);
    commit("a3");
    const auto rest = relay::make_poll_source(*database)->read(10);
    EXPECT_EQ(OutboxFixture::names(rest), "b1 a3");
    EXPECT_EQ(rest.at(1).position, 4);
}

// Writers, a relay, two replicas of the cleanup and long transactions, all at once. The relay
// receives every event, in the order of each key.
TEST_F(Partitions, ComeAndGoUnderLoad) {
    constexpr int writers = 3;
    // Rounds of four events each.
    constexpr int rounds = 150;
    // Every event is past its retention.
    clock_.set(noon + std::chrono::hours(48));
    std::atomic<int> writing = writers;
    std::atomic<std::uint64_t> ids = 1'000;
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            for (int round = 0; round < rounds; ++round) {
                std::vector<Event> events;
                for (int i = 1; i <= 4; ++i) {
                    events.push_back(OutboxFixture::event(static_cast<char>('a' + writer),
                                                          round * 4 + i, ++ids));
                }
                const auto pause = std::chrono::milliseconds(round % 50 == 25 ? 50 : 0);
                while (!has_committed(events, pause)) continue;
            }
            --writing;
        });
    }
    for (int replica = 0; replica < 2; ++replica) {
        threads.emplace_back([&] {
            Cleanup cleanup(*outbox_.database, clock_,
                            {.partition_positions = 40, .partitions_ahead = 3}, outbox_.metrics);
            while (writing > 0) EXPECT_NO_THROW(cleanup.run(Duration::zero()));
        });
    }
    std::map<char, std::int64_t> last;
    std::size_t seen = 0;
    for (bool is_last = false;;) {
        const auto events = source_->read(64);
        source_->confirm();
        for (const StoredEvent& stored : events) {
            std::int64_t& sequence = last[OutboxFixture::name(stored.event)[0]];
            EXPECT_EQ(stored.event.sequence, sequence + 1);
            sequence = stored.event.sequence;
        }
        seen += events.size();
        if (!events.empty()) continue;
        if (is_last) break;
        is_last = writing == 0;
    }
    threads.clear();
    EXPECT_EQ(seen, static_cast<std::size_t>(writers * rounds * 4));
    // Moves the checkpoint past the last of the events.
    outbox_.commit("z1");
    confirm();
    run_to_the_end();
    EXPECT_LT(outbox_.number("SELECT count(*) FROM outbox_events"), 300);
    EXPECT_THAT(metrics(), HasSubstr("trackops_outbox_partitions_dropped_total"));
}

TEST_F(Partitions, KeepTheTableSmallHoweverMuchHasPassed) {
    Cleanup cleanup(*outbox_.database, clock_,
                    {.partition_positions = 10'000, .partitions_ahead = 3}, outbox_.metrics);
    constexpr std::string_view insert = R"sql(
        INSERT INTO outbox_events (event_id, aggregate_id, type, sequence, payload, correlation_id,
                                   causation_id, traceparent, tracestate, occurred_at)
        SELECT gen_random_uuid(), gen_random_uuid(), 'ORDER_CREATED', 1, '{"n": 1}', '', '', '', '',
               '2023-11-14' FROM generate_series(1, 10000))sql";
    std::int64_t largest = 0;
    for (int round = 0; round < 20; ++round) {
        cleanup.run(Duration::zero());
        outbox_.execute(insert);
        outbox_.execute(
            "INSERT INTO relay.checkpoint VALUES (1, pg_current_snapshot(), NULL, 0) "
            "ON CONFLICT (id) DO UPDATE SET base = excluded.base");
        grow_old();
        while (cleanup.run(Duration::zero()).call_again_in == Duration::zero()) continue;
        largest = std::max(
            largest,
            outbox_.number("SELECT sum(pg_total_relation_size(inhrelid))::bigint "
                           "FROM pg_inherits WHERE inhparent = 'outbox_events'::regclass"));
    }
    EXPECT_EQ(outbox_.number("SELECT last_value FROM outbox_events_position_seq"), 200'000);
    // One and a half partitions. All events together would take 40 MB.
    EXPECT_LT(largest, 6 << 20);
    EXPECT_LE(outbox_.number("SELECT count(*) FROM outbox_partitions"), 5);
}

}  // namespace
}  // namespace trackops::outbox
