#include "platform/relay/wal/source.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "platform/relay/make_source.hpp"
#include "platform/relay/poll_source.hpp"
#include "platform/relay/wal/connection.hpp"
#include "platform/relay/wal/source_for_tests.hpp"

namespace trackops::relay {
namespace {

// Stores only at the first confirm().
const WalOptions never = stored_each(std::chrono::hours(1));

TEST_F(Wal, GivesTheSameEventsAsPolling) {
    const auto source = streaming();
    std::vector<outbox::Event> events = outbox_.parse("a1 b1 c1");
    events[0].payload = R"({"b": [1, 2.50, "é\n\"\\"], "a": null, "b2": {"x":  1e3}})";
    events[0].traceparent = "00-aa-bb-01";
    events[1].occurred_at = {1'700'000'000'000'001};
    events[2].occurred_at = {0};
    events[2].correlation_id = "";
    const auto tx = outbox_.database->begin(sql::Access::write);
    append(*tx, events);
    tx->commit();
    const auto streamed = sources_.read(*source);
    const auto polled = make_poll_source(*outbox_.database)->unconfirmed(0, 10);
    ASSERT_EQ(streamed.size(), 3U);
    ASSERT_EQ(polled.size(), 3U);
    // Equal byte by byte.
    EXPECT_EQ(polled[0].event.payload, events[0].payload);
    for (std::size_t i = 0; i < polled.size(); ++i) {
        EXPECT_EQ(streamed[i].position, polled[i].position);
        const outbox::Event& one = streamed[i].event;
        const outbox::Event& other = polled[i].event;
        EXPECT_EQ(std::tie(one.id, one.type, one.key, one.sequence, one.payload, one.occurred_at),
                  std::tie(other.id, other.type, other.key, other.sequence, other.payload,
                           other.occurred_at));
        EXPECT_EQ(std::tie(one.correlation_id, one.causation_id, one.traceparent, one.tracestate),
                  std::tie(other.correlation_id, other.causation_id, other.traceparent,
                           other.tracestate));
    }
}

TEST_F(Wal, GivesWhatWasThereBeforeItsFirstStartOnce) {
    outbox_.commit("a1 b1");
    const auto source = sources_.make_wal();
    EXPECT_EQ(repaired(*source), "a1 b1");
    outbox_.commit("a2");
    EXPECT_EQ(read(*source), "a2");
    EXPECT_EQ(metric("trackops_relay_repairs_total"), 1);
    EXPECT_EQ(metric("trackops_relay_events_in_doubt_total"), 2);
}

TEST_F(Wal, PollsWhileAnOldTransactionKeepsTheLogFromBeingRead) {
    auto old = open("o1");
    const auto source = sources_.make_wal();
    outbox_.commit("a1");
    for (const auto* next : {"a2", "a3", "a4"}) {
        until([&] { return !source->read(10).empty(); });
        source->confirm();
        outbox_.commit(next);
    }
    EXPECT_FALSE(source->is_streaming());
    old->commit();
    std::vector<outbox::StoredEvent> found;
    sources_.settle(*source, &found);
    for (auto& more : sources_.read(*source)) found.push_back(std::move(more));
    auto names = outbox::OutboxFixture::names(found);
    EXPECT_TRUE(names == "o1 a4" || names == "a4 o1") << names;
}

TEST_F(Wal, EndsASlotHalfMadeByOneThatDied) {
    auto old = open("o1");
    auto source = sources_.make_wal();
    until([&] { return source->claim() && of_slot("active") == "true"; });
    source.reset();
    source = sources_.make_wal();
    outbox_.commit("a1");
    // Reads a1 although o1 is still open.
    until([&] { return !source->read(10).empty(); });
    source->confirm();
    old->commit();
    EXPECT_EQ(repaired(*source), "o1");
}

TEST_F(Wal, LeavesASlotToWhoMadeItInBetween) {
    // No slot can be completed before this transaction ends.
    auto old = open("o1");
    const auto connect = [&] { return WalConnection(outbox_.url(), std::chrono::seconds(4)); };
    WalConnection one = connect();
    one.create_slot(sources_.slot());
    until([&] { return of_slot("active") == "true"; });
    WalConnection other = connect();
    other.create_slot(sources_.slot());
    until([&] { return other.slot_creation() == WalConnection::Creation::taken; });
    EXPECT_EQ(one.slot_creation(), WalConnection::Creation::under_way);
    old->commit();
    until([&] { return one.slot_creation() == WalConnection::Creation::made; });
}

TEST_F(Wal, RepairsASlotThatIsGoneWhileItRuns) {
    const auto source = streaming(never);
    outbox_.commit("a1");
    EXPECT_EQ(read(*source), "a1");
    // This confirm() stores the checkpoint, because it is the first one.
    source->confirm();
    outbox_.commit("a2 b1");
    EXPECT_EQ(read(*source), "a2 b1");
    source->confirm();
    outbox_.commit("b2");
    sources_.drop_slot();
    outbox_.commit("c1");
    EXPECT_THROW(until([&] { return source->read(100).empty() && false; }), sql::Failure);
    EXPECT_EQ(source->backlog(outbox::noon).warning, "the replication slot is missing");
    const std::string found = repaired(*source);
    // The first stored base sees a1 only if the source had read the log to its end by then.
    // Otherwise a1 is found again.
    EXPECT_TRUE(found == "a2 b1 b2 c1" || found == "a1 a2 b1 b2 c1") << found;
    EXPECT_EQ(metric("trackops_relay_repairs_total"), 2);
    EXPECT_EQ(metric("trackops_relay_events_in_doubt_total"),
              static_cast<double>((found.size() + 1) / 3));
    outbox_.commit("c2");
    EXPECT_EQ(read(*source), "c2");
    EXPECT_EQ(source->backlog(outbox::noon).warning, "");
}

// A repair would poll every event in doubt and hold the log until the new slot can be read.
TEST_F(Wal, KeepsTheSlotWhenItsConnectionIsCut) {
    const auto source = streaming();
    outbox_.commit("a1");
    EXPECT_EQ(read(*source), "a1");
    source->confirm();
    run("SELECT pg_terminate_backend(" + of_slot("active_pid") + ")::text");
    until([&] { return of_slot("active") == "false"; });
    outbox_.commit("a2");
    EXPECT_THROW(until([&] { return !source->read(100).empty(); }), sql::Failure);
    until([&] { return source->claim(); });
    EXPECT_TRUE(source->is_streaming());
    EXPECT_EQ(metric("trackops_relay_repairs_total"), 1) << "at the first start";
    EXPECT_EQ(read(*source), "a2");
}

TEST_F(Wal, RepairsASlotThatWasMadeAnew) {
    auto source = streaming();
    outbox_.commit("a1");
    EXPECT_EQ(read(*source), "a1");
    source->confirm();
    sources_.store_base(*source);
    source.reset();
    sources_.drop_slot();
    // No slot holds a2.
    outbox_.commit("a2");
    run("SELECT pg_create_logical_replication_slot('" + sources_.slot() + "', 'pgoutput')::text");
    outbox_.commit("a3");
    source = sources_.make_wal();
    EXPECT_EQ(repaired(*source), "a2 a3");
    EXPECT_EQ(read(*source), "");
    outbox_.commit("a4");
    EXPECT_EQ(read(*source), "a4");
}

TEST_F(Wal, RepairsWhenThePublicationIsNewerThanTheLog) {
    const auto source = streaming();
    run("DROP PUBLICATION trackops_outbox");
    outbox_.commit("a1");
    EXPECT_THROW(until([&] { return !sources_.read(*source).empty(); }), sql::Failure);
    until([&] {
        try {
            return source->claim();
        } catch (const sql::Failure& failure) {
            EXPECT_EQ(failure.fault, sql::Fault::defect);
            return std::string(failure.what()).find("publication") != std::string::npos;
        }
    });
    run("CREATE PUBLICATION trackops_outbox FOR TABLE outbox_events WITH (publish = 'insert', "
        "publish_via_partition_root = true)");
    std::vector<outbox::StoredEvent> found;
    until([&] {
        try {
            for (auto& event : source->read(100)) found.push_back(std::move(event));
            source->confirm();
        } catch (const sql::Failure&) {
            // The source still reads the log from before the new publication.
            return false;
        }
        return !found.empty() && source->is_streaming();
    });
    EXPECT_EQ(outbox::OutboxFixture::names(found), "a1");
    outbox_.commit("a2");
    EXPECT_EQ(read(*source), "a2");
}

TEST_F(Wal, ReadsNoPublicationThatBringsLess) {
    const auto source = sources_.make_wal();
    for (const auto* change : {"publish = 'update'", "publish_via_partition_root = false"}) {
        run(
            std::string("ALTER PUBLICATION trackops_outbox SET (publish = 'insert', "
                        "publish_via_partition_root = true)"));
        run(std::string("ALTER PUBLICATION trackops_outbox SET (") + change + ")");
        EXPECT_THROW(source->claim(), sql::Failure) << change;
    }
}

TEST_F(Wal, StoresNotMoreOftenThanItsIntervalAndAtItsEnd) {
    auto source = streaming(never);
    outbox_.commit("a1");
    EXPECT_EQ(read(*source), "a1");
    // Stored at once, because the last store was long ago.
    source->confirm();
    outbox_.commit("a2 a3");
    EXPECT_EQ(read(*source, 1), "a2");
    source->confirm();
    EXPECT_EQ(source->backlog(outbox::noon).events,
              1);      // a2 counts as confirmed without being stored
    source->rewind();  // as after a crash
    until([&] { return source->claim(); });
    EXPECT_TRUE(source->is_streaming());
    EXPECT_EQ(read(*source, 1), "a2");
    source->confirm();
    outbox_.commit("b1");
    // A regular end.
    source.reset();
    source = streaming(never);
    EXPECT_EQ(read(*source), "a3 b1");
}

// Otherwise the source could not distinguish this slot from one that was created anew.
TEST_F(Wal, LetsTheServerForgetOnlyWhatLiesBehindTheStoredCheckpoint) {
    const auto source = streaming(
        {.checkpoint_interval = std::chrono::hours(1), .sender_timeout = std::chrono::seconds(1)});
    outbox_.commit("a1");
    EXPECT_EQ(read(*source), "a1");
    source->confirm();
    outbox_.commit("a2");
    EXPECT_EQ(read(*source), "a2");
    source->confirm();
    const std::string replies =
        "SELECT reply_time::text FROM pg_stat_replication WHERE pid = " + of_slot("active_pid");
    for (int i = 0; i < 3; ++i) {
        const std::string before = text(replies);
        until([&] { return source->claim() && text(replies) != before; });
        EXPECT_EQ(text("SELECT (confirmed_flush_lsn <= lsn)::text FROM relay.checkpoint, "
                       "pg_replication_slots WHERE slot_name = '" +
                       sources_.slot() + "'"),
                  "true");
    }
}

TEST_F(Wal, IsReadByOneOnlyAndByTheNextWhenThatOneEnds) {
    auto first = streaming();
    const auto second = sources_.make_wal();
    outbox_.commit("a1");
    EXPECT_FALSE(second->claim());
    EXPECT_TRUE(second->read(10).empty());
    EXPECT_TRUE(first->claim());
    first.reset();
    until([&] { return second->claim(); });
    EXPECT_EQ(read(*second), "a1");
}

// The server ends the session of a silent reader, for example of a stopped process.
TEST_F(Wal, LosesTheSlotWhenItIsSilent) {
    const auto first = streaming({.sender_timeout = std::chrono::milliseconds(300)});
    const auto second = sources_.make_wal();
    outbox_.commit("a1");
    until([&] { return second->claim(); });
    EXPECT_EQ(read(*second), "a1");
    EXPECT_THROW(until([&] { return !first->read(10).empty(); }), sql::Failure);
    EXPECT_FALSE(first->claim());
}

TEST_F(Wal, KeepsTheSlotWhileItOnlyClaims) {
    const auto source = streaming({.sender_timeout = std::chrono::seconds(1)});
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2500);
    outbox_.commit("a1");
    while (std::chrono::steady_clock::now() < end) {
        EXPECT_TRUE(source->claim());
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(source->is_streaming());
    EXPECT_EQ(read(*source), "a1");
}

TEST_F(Wal, WakesWhenEventsCome) {
    const auto source = streaming();
    std::jthread writer([this] { outbox_.commit("a1"); });
    std::string found;
    until([&] {
        EXPECT_TRUE(source->await(std::chrono::seconds(30)));
        found += outbox::OutboxFixture::names(source->read(10));
        return !found.empty();
    });
    writer.join();
    EXPECT_EQ(found, "a1");
}

// Sources of both kinds take turns over the same checkpoint, and each ends in the middle. Meanwhile
// a writer commits events and sometimes leaves a transaction open.
TEST_F(Wal, MaySwitchToPollingAndBackWhileEventsAreWritten) {
    constexpr int transactions = 400;
    std::atomic<bool> is_written = false;
    std::jthread writer([&] {
        std::map<char, std::int64_t> sequences;
        std::uint64_t ids = 0;
        const auto next = [&](char key) {
            return std::vector{outbox::OutboxFixture::event(key, ++sequences[key], ++ids)};
        };
        Transaction slow;
        for (int i = 0; i < transactions; ++i) {
            if (i % 20 == 0) {
                if (slow) slow->commit();
                slow = outbox_.database->begin(sql::Access::write);
                append(*slow, next('z'));
                slow->flush();
            }
            const auto tx = outbox_.database->begin(sql::Access::write);
            append(*tx, next(static_cast<char>('a' + i % 3)));
            append(*tx, next(static_cast<char>('a' + (i + 1) % 3)));
            tx->commit();
        }
        slow->commit();
        is_written = true;
    });
    std::map<char, std::vector<std::int64_t>> first_seen;
    std::set<Uuid> ids;
    std::size_t doubles = 0;
    const auto take = [&](Source& source, std::size_t max) {
        const auto events = source.read(max);
        for (const outbox::StoredEvent& stored : events) {
            if (!ids.insert(stored.event.id).second) {
                ++doubles;
                continue;
            }
            first_seen[static_cast<char>(stored.event.key.bytes[15])].push_back(
                stored.event.sequence);
        }
        source.confirm();
        return events.size();
    };
    for (int turn = 0; !is_written || turn % 3 != 0; ++turn) {
        std::unique_ptr<Source> source;
        if (turn % 3 == 2) {
            source = make_poll_source(*outbox_.database);
        } else {
            source = sources_.make_wal({.checkpoint_interval = std::chrono::milliseconds(20)});
            until([&] { return source->claim(); });
        }
        for (std::size_t taken = 0, tries = 0; taken < 60 && tries < 200; ++tries) {
            const std::size_t count = take(*source, 7);
            taken += count;
            if (count == 0) source->await(std::chrono::milliseconds(1));
        }
        if (turn % 3 == 1) source->read(5);   // never confirmed
        if (turn % 2 == 1) source->rewind();  // a crash: nothing more is stored
    }
    writer.join();
    const auto last = make_poll_source(*outbox_.database);
    while (take(*last, 100) > 0) {
    }
    EXPECT_EQ(ids.size(), 2U * transactions + transactions / 20);
    for (const auto& [key, sequences] : first_seen) {
        EXPECT_TRUE(std::ranges::is_sorted(sequences)) << key;
        EXPECT_EQ(sequences.size(), static_cast<std::size_t>(sequences.back())) << key;
    }
    EXPECT_LT(doubles, ids.size());
}

TEST_F(Wal, PollingSaysThatASlotIsLeftOver) {
    streaming().reset();
    const auto polling = make_poll_source(*outbox_.database);
    // Waits until the server has noticed the end of the session.
    until([&] {
        return polling->backlog(outbox::noon).warning.find(sources_.slot()) != std::string::npos;
    });
    sources_.drop_slot();
    EXPECT_EQ(polling->backlog(outbox::noon).warning, "");
}

TEST(WalSlot, IsNamedAfterItsDatabase) {
    EXPECT_EQ(slot_name("trackops"), "trackops_relay_trackops");
    EXPECT_EQ(slot_name("trackops_inventory"), "trackops_relay_trackops_inventory");
    EXPECT_NE(slot_name("Shop-1"), slot_name("shop_1"));
    EXPECT_NE(slot_name("shop-1"), slot_name("shop.1"));
    const std::string longest(63, 'x');
    EXPECT_EQ(slot_name(longest).size(), 63U);
    EXPECT_NE(slot_name(longest), slot_name(longest + "x"));
    for (const char c : slot_name("Ä'; DROP--")) {
        EXPECT_TRUE((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
    }
}

TEST(WalSlot, WarnsBeforeTheServerDropsItsLog) {
    SlotState slot{.exists = true, .wal_status = "reserved", .confirmed = {}};
    EXPECT_EQ(slot.warning(), "");
    slot.wal_status = "extended";
    EXPECT_EQ(slot.warning(), "");
    slot.wal_status = "unreserved";
    EXPECT_NE(slot.warning(), "");
    EXPECT_FALSE(slot.is_lost());
    slot.wal_status = "lost";
    EXPECT_NE(slot.warning(), "");
    EXPECT_TRUE(slot.is_lost());
}

TEST(MakeSource, KnowsPollAndWal) {
    outbox::OutboxFixture sqlite("sqlite");
    EXPECT_EQ(make_source("poll", *sqlite.database, sqlite.url(), sqlite.metrics)->name(), "poll");
    EXPECT_THROW((void)make_source("wal", *sqlite.database, sqlite.url(), sqlite.metrics),
                 std::invalid_argument);
    EXPECT_THROW((void)make_source("push", *sqlite.database, sqlite.url(), sqlite.metrics),
                 std::invalid_argument);
    outbox::OutboxFixture postgres("postgres");
    EXPECT_EQ(make_source("poll", *postgres.database, postgres.url(), postgres.metrics)->name(),
              "poll");
    EXPECT_EQ(make_source("wal", *postgres.database, postgres.url(), postgres.metrics)->name(),
              "wal");
}

}  // namespace
}  // namespace trackops::relay
