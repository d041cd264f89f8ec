// The ports of a simulated world, one by one: the effects of each fault, and their limits.
#include <gtest/gtest.h>

#include "platform/sqlite/sqlite.hpp"
#include "platform/telemetry/metrics.hpp"
#include "sim/crash.hpp"
#include "sim/sim_bus.hpp"
#include "sim/sim_cache.hpp"
#include "sim/sim_database.hpp"

namespace trackops::sim {
namespace {

using std::chrono::seconds;

// A world in which only the test injects faults.
class Ports : public ::testing::Test {
protected:
    Ports() { world.faults.stop(); }
    bus::OutgoingMessage message(const std::string& key, const std::string& value) const {
        return {"ORDER_CREATED", key, value, {}};
    }
    std::vector<std::string> given(bus::Subscription& to) {
        world.now = world.now + seconds(1);
        std::vector<std::string> values;
        for (const bus::Message& each : to.poll(100, {})) values.push_back(each.value);
        return values;
    }
    void commit_all(bus::Subscription& member, const std::string& topic, std::int64_t offset) {
        for (std::int32_t i = 0; i < Broker::partitions; ++i) member.commit(topic, i, offset);
    }

    World world{1, {}, nullptr};
    ProcessContext process{world, "order-1"};
    Broker broker{world};
    SimBus bus{process, broker};
    const std::vector<std::string> topics{"ORDER_CREATED"};
};

TEST_F(Ports, GivesWhatWasNotCommittedAgainAfterARebalance) {
    bus.ensure_topics(topics);
    const auto publisher = bus.publisher();
    const auto member = bus.subscribe("g", topics);
    const std::vector burst{message("k", "one")};
    ASSERT_EQ(publisher->publish(burst).at(0), bus::Delivery::acknowledged);
    EXPECT_EQ(given(*member), std::vector<std::string>{"one"});
    EXPECT_TRUE(given(*member).empty());
    broker.rebalance(broker.group("g"), "a test");
    EXPECT_EQ(given(*member), std::vector<std::string>{"one"});
    commit_all(*member, "ORDER_CREATED", 0);
    broker.rebalance(broker.group("g"), "a test");
    EXPECT_TRUE(given(*member).empty());
    EXPECT_EQ(broker.lag("g"), 0);
}

TEST_F(Ports, TakesNoOffsetFromAMemberThatLostThePartition) {
    bus.ensure_topics(topics);
    const auto publisher = bus.publisher();
    const auto member = bus.subscribe("g", topics);
    const std::vector burst{message("k", "one")};
    publisher->publish(burst);
    given(*member);
    broker.rebalance(broker.group("g"), "a test");
    commit_all(*member, "ORDER_CREATED", 0);
    EXPECT_EQ(broker.lag("g"), 1);
}

TEST_F(Ports, KeepsTheOrderOfAKey) {
    bus.ensure_topics(topics);
    const auto publisher = bus.publisher();
    const auto member = bus.subscribe("g", topics);
    for (const auto* value : {"one", "two", "three"}) {
        const std::vector burst{message("k", value)};
        publisher->publish(burst);
    }
    std::vector<std::string> seen;
    for (int i = 0; i < 5; ++i) std::ranges::copy(given(*member), std::back_inserter(seen));
    EXPECT_EQ(seen, (std::vector<std::string>{"one", "two", "three"}));
}

TEST_F(Ports, LosesNothingWhileTheBrokerIsAway) {
    bus.ensure_topics(topics);
    const auto publisher = bus.publisher();
    broker.is_away = true;
    const std::vector burst{message("k", "one")};
    EXPECT_EQ(publisher->publish(burst).at(0), bus::Delivery::unavailable);
    EXPECT_EQ(broker.lag("g"), 0);
    EXPECT_TRUE(broker.log().empty());
}

TEST_F(Ports, DiesAtEveryCallOnceItIsDoomed) {
    telemetry::Registry metrics;
    DatabaseServer server{"order", sql::open_in_memory({}, metrics)};
    SimDatabase database(process, server);
    process.has_crashed = true;
    EXPECT_THROW(database.begin(sql::Access::read), Crash);
    const auto publisher = bus.publisher();
    EXPECT_THROW(publisher->publish({}), Crash);
    // Destructors get errors that they can handle, never a Crash.
    process.is_destroyed = true;
    EXPECT_THROW(database.begin(sql::Access::read), sql::Failure);
    EXPECT_TRUE(publisher->publish({}).empty());
}

TEST_F(Ports, RollsBackWhatACrashLeavesOpen) {
    telemetry::Registry metrics;
    DatabaseServer server{"order", sql::open_in_memory({}, metrics)};
    SimDatabase database(process, server);
    {
        const auto tx = database.begin(sql::Access::write);
        tx->add({"make", "CREATE TABLE t (x INTEGER)"}, {});
        tx->commit();
    }
    try {
        const auto tx = database.begin(sql::Access::write);
        tx->add({"put", "INSERT INTO t VALUES (1)"}, {});
        tx->flush();
        process.has_crashed = true;
        tx->commit();
        FAIL() << "a doomed process committed";
    } catch (const Crash&) {
        process.has_crashed = false;
    }
    const auto tx = database.begin(sql::Access::read);
    const auto& found = tx->add({"count", "SELECT count(*) FROM t"}, {});
    tx->commit();
    EXPECT_EQ(found.rows().at(0).integer(0), 0);
    EXPECT_EQ(world.open_transactions, 0);
}

TEST_F(Ports, ReportsARemoteCallInATransaction) {
    telemetry::Registry metrics;
    DatabaseServer server{"order", sql::open_in_memory({}, metrics)};
    SimDatabase database(process, server);
    const auto publisher = bus.publisher();
    const auto tx = database.begin(sql::Access::write);
    publisher->publish({});
    ASSERT_TRUE(world.violation);
    EXPECT_EQ(world.violation->invariant, "no_remote_call_in_a_transaction");
}

TEST_F(Ports, ForgetsCachedEntriesWhenTheirTimeIsOver) {
    CacheServer server;
    SimCache cache(process, server);
    const std::vector<std::string> keys{"k"};
    cache.put("k", {2, "new"}, seconds(30));
    cache.put("k", {1, "old"}, seconds(30));
    EXPECT_EQ(cache.get(keys).at(0)->value, "new");
    world.now = world.now + seconds(31);
    EXPECT_FALSE(cache.get(keys).at(0));
}

// Two processes with a cache memory each and no server.
class Memories : public Ports {
protected:
    Memories() {
        server.is_there = false;
        for (const int version : {1, 2, 3}) commit(version);
    }
    // Commits one second after the previous version.
    void commit(int version) {
        world.now = world.now + seconds(1);
        orders.changes[order][version] = {"PENDING", world.now};
    }
    std::int64_t seen_by(SimCache& reader) {
        const auto entry = reader.get_local(key);
        return entry ? entry->version : 0;
    }

    const Uuid order = *Uuid::parse("018f0000-0000-7000-8000-000000000007");
    const std::string key = order.text();
    DatabaseServer orders{"order", nullptr};
    Shown shown{world, orders};
    CacheServer server{.shown = &shown, .orders = &orders};
    ProcessContext other_site{world, "order-2"};
    SimCache cache{process, server};
    SimCache other{other_site, server};
};

TEST_F(Memories, AreAsOldAsTheyMayBeButShowWhatTheirProcessHasWritten) {
    other.put(key, {2, "old"}, seconds(20));
    cache.put(key, {2, "old"}, seconds(20));
    cache.put(key, {3, "new"}, seconds(30));
    cache.put(key, {1, "older"}, seconds(10));
    EXPECT_EQ(seen_by(cache), 3);
    EXPECT_EQ(seen_by(other), 2);
    world.now = world.now + seconds(21);
    EXPECT_EQ(seen_by(other), 0);
    EXPECT_FALSE(world.violation);
}

TEST_F(Memories, HearOfAChangeThroughTheirServer) {
    server.is_there = true;
    const std::vector keys{key};
    cache.put(key, {2, "old"}, seconds(20));
    EXPECT_EQ(other.get(keys).at(0)->version, 2);
    EXPECT_EQ(seen_by(other), 2);
    cache.put(key, {3, "new"}, seconds(20));
    EXPECT_EQ(seen_by(other), 0);
    EXPECT_EQ(other.get(keys).at(0)->version, 3);
}

TEST_F(Memories, MayNotKeepAVersionLongerThanHalfAMinuteAfterItWasReplaced) {
    cache.put(key, {2, "replaced just now"}, seconds(30));
    EXPECT_FALSE(world.violation);
    world.now = world.now + Duration(1);
    cache.put(key, {2, "replaced a moment ago"}, seconds(30) - Duration(1));
    EXPECT_FALSE(world.violation);
    cache.put(key, {2, "replaced a moment ago"}, seconds(30));
    ASSERT_TRUE(world.violation);
    EXPECT_EQ(world.violation->invariant, "a_cache_knows_ages");
}

TEST_F(Memories, ArePromisedForAsLongAsAnEntryLives) {
    shown.must_show(process.name, order, 3);
    shown.must_show(process.name, order, 2);
    EXPECT_EQ(shown.least(process.name, order), 3);
    EXPECT_EQ(shown.least(other_site.name, order), 0);
    world.now = world.now + seconds(30);
    EXPECT_EQ(shown.least(process.name, order), 0);
}

TEST_F(Memories, ArePromisedOnlyWhileNothingOfThemIsLost) {
    shown.must_show(process.name, order, 3);
    shown.restarted(other_site.name);
    EXPECT_EQ(shown.least(process.name, order), 3);
    shown.restarted(process.name);
    EXPECT_EQ(shown.least(process.name, order), 0);
    shown.must_show(process.name, order, 3);
    shown.lost(order);
    EXPECT_EQ(shown.least(process.name, order), 0);
}

TEST_F(Memories, ArePromisedForLessWhereClocksDiffer) {
    world.skew_max = seconds(10);
    shown.must_show(process.name, order, 3);
    EXPECT_EQ(shown.least(process.name, order), 3);
    world.now = world.now + seconds(6);
    EXPECT_EQ(shown.least(process.name, order), 0);
}

// All possible faults of the bus occur until faults are stopped.
TEST(Refusals, LastUntilALimitIsChanged) {
    World world{1, {}, nullptr};
    world.faults.stop();
    ProcessContext process{world, "relay-1"};
    Broker broker{world};
    SimBus bus{process, broker};
    const std::vector<std::string> topics{"ORDER_CREATED"};
    bus.ensure_topics(topics);
    const auto id = [](int number) { return uuid_v7(World::beginning, 7, number); };
    const auto message = [&](int number) {
        return bus::OutgoingMessage{"ORDER_CREATED", "k", "v", {{"ce_id", id(number).text()}}};
    };
    world.faults.begin();
    int refused = 0;
    for (int number = 1; refused == 0 && number < 100'000; ++number)
        refused = broker.refuses(message(number)) ? number : 0;
    ASSERT_GT(refused, 0);
    world.faults.stop();
    const auto publisher = bus.publisher();
    const std::vector burst{message(refused), message(refused + 100'000)};
    const std::vector once{bus::Delivery::refused, bus::Delivery::acknowledged};
    EXPECT_EQ(publisher->publish(burst), once);
    EXPECT_EQ(publisher->publish(burst), once);
    EXPECT_TRUE(broker.has_refused(id(refused)));
    EXPECT_FALSE(broker.has_taken(id(refused)));
    broker.relent();
    EXPECT_EQ(publisher->publish(burst).at(0), bus::Delivery::acknowledged);
    EXPECT_TRUE(broker.has_taken(id(refused)));
}

TEST(Faults, OccurEquallyInEveryRunAndNeverInTheQuietPhase) {
    Faults one(7, {});
    Faults other(7, {});
    for (int i = 0; i < 5000; ++i) {
        const auto fault = static_cast<Fault>(i % static_cast<int>(fault_count));
        EXPECT_EQ(one.occurs(fault), other.occurs(fault));
    }
    EXPECT_GT(one.total(), 0);
    const auto before = one.total();
    one.stop();
    for (int i = 0; i < 5000; ++i) EXPECT_FALSE(one.occurs(Fault::sql_refused));
    EXPECT_EQ(one.total(), before);
}

TEST(Faults, LeaveOutWhatThePlanLeavesOutWithoutMovingTheOthers) {
    Faults whole(7, {});
    Faults less(7, {.never = {Fault::bus_duplicated}});
    for (int i = 0; i < 5000; ++i) {
        EXPECT_FALSE(less.occurs(Fault::bus_duplicated));
        EXPECT_EQ(whole.occurs(Fault::bus_ack_lost), less.occurs(Fault::bus_ack_lost));
    }
}

}  // namespace
}  // namespace trackops::sim
