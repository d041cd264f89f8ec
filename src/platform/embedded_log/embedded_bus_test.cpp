// Tests of what only the embedded bus promises: its folder, its commits, its retention, and that a
// crash loses no acknowledged message.
#include "platform/embedded_log/embedded_bus.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <signal.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/backends/open_database.hpp"
#include "platform/sql/database.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::bus {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EmbeddedBus : public ::testing::Test {
protected:
    void open(const Options& options = {.partitions = 1}) {
        bus_.reset();
        bus_ = open_embedded(folder_.path(), options, clock_, metrics_);
        bus_->ensure_topics(std::vector<std::string>{"t"});
        publisher_ = bus_->publisher();
    }
    std::unique_ptr<Subscription> subscribe(std::string_view group = "group") {
        return bus_->subscribe(group, std::vector<std::string>{"t"});
    }
    Delivery publish(std::string value) {
        const OutgoingMessage message{"t", "key", std::move(value), {}};
        return publisher_->publish({&message, 1}).front();
    }
    static std::vector<std::string> values(Subscription& subscription, std::size_t max = 1000) {
        std::vector<std::string> values;
        for (const Message& message : subscription.poll(max, Duration::zero())) {
            values.push_back(message.value);
        }
        return values;
    }
    // Reads a column from the file on disk, not from the memory of the bus.
    std::vector<std::int64_t> column(std::string_view text) {
        const auto tx = database()->begin(sql::Access::read);
        const auto& found = tx->add({"test.column", text}, {});
        tx->flush();
        std::vector<std::int64_t> column;
        for (const sql::Row& row : found.rows()) column.push_back(row.integer(0));
        return column;
    }
    std::vector<std::int64_t> saved_commits() {
        return column("SELECT next_position FROM commits ORDER BY group_name");
    }
    sql::Database* database() {
        if (!database_) {
            database_ =
                backends::open_database("sqlite:" + folder_.path() + "/bus.db", {}, metrics_);
        }
        return database_.get();
    }

    trackops::testing::TemporaryFolder folder_;
    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;
    std::unique_ptr<sql::Database> database_;
    std::unique_ptr<Bus> bus_;
    std::unique_ptr<Publisher> publisher_;
};

TEST_F(EmbeddedBus, RefusesASecondOneOnTheSameFolder) {
    open();
    try {
        open_embedded(folder_.path(), {}, clock_, metrics_);
        FAIL() << "it was taken";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr(folder_.path()));
    }
    EXPECT_EQ(publish("1"), Delivery::acknowledged);
}

TEST_F(EmbeddedBus, RefusesAFolderThatCannotBe) {
    EXPECT_THROW(open_embedded("/proc/nobody/bus", {}, clock_, metrics_), std::runtime_error);
}

TEST_F(EmbeddedBus, RefusesTopicNamesThatKafkaWouldRefuse) {
    open();
    for (const std::string& name : {std::string(), std::string("a b"), std::string("..")}) {
        EXPECT_THROW(bus_->ensure_topics({&name, 1}), std::invalid_argument) << name;
    }
}

TEST_F(EmbeddedBus, SpreadsMessagesWithoutAKey) {
    open({.partitions = 3});
    const auto subscription = subscribe();
    const std::vector<OutgoingMessage> keyless(6, {"t", "", "", {}});
    publisher_->publish(keyless);
    std::vector<int> by_partition(3);
    for (const Message& message : subscription->poll(10, Duration::zero())) {
        ++by_partition.at(static_cast<std::size_t>(message.partition));
    }
    EXPECT_THAT(by_partition, Each(2));
}

TEST_F(EmbeddedBus, SavesCommitsWithTheNextBurst) {
    open();
    const auto subscription = subscribe();
    publish("1");
    EXPECT_THAT(values(*subscription), ElementsAre("1"));
    subscription->commit("t", 0, 0);
    EXPECT_THAT(saved_commits(), ElementsAre(0));
    publish("2");
    EXPECT_THAT(saved_commits(), ElementsAre(1));
}

TEST_F(EmbeddedBus, SavesCommitsOfTheTenthOfASecondAtTheNextPoll) {
    open();
    const auto subscription = subscribe();
    publish("1");
    EXPECT_THAT(values(*subscription), ElementsAre("1"));
    subscription->commit("t", 0, 0);
    clock_.advance(milliseconds(99));
    subscription->poll(1, Duration::zero());
    EXPECT_THAT(saved_commits(), ElementsAre(0));
    clock_.advance(milliseconds(1));
    subscription->poll(1, Duration::zero());
    EXPECT_THAT(saved_commits(), ElementsAre(1));
}

// It does not know how old they are.
TEST_F(EmbeddedBus, SavesCommitsAtTheNextPollWhenTheClockWasSetBack) {
    open();
    const auto subscription = subscribe();
    publish("1");
    EXPECT_THAT(values(*subscription), ElementsAre("1"));
    subscription->commit("t", 0, 0);
    EXPECT_THAT(saved_commits(), ElementsAre(0));
    clock_.advance(-hours(1));
    EXPECT_THAT(values(*subscription), IsEmpty());
    EXPECT_THAT(saved_commits(), ElementsAre(1));
}

TEST_F(EmbeddedBus, SavesCommitsDuringALongPoll) {
    open();
    const auto subscription = subscribe();
    publish("1");
    EXPECT_THAT(values(*subscription), ElementsAre("1"));
    subscription->commit("t", 0, 0);
    subscription->poll(1, Duration::zero());
    EXPECT_THAT(saved_commits(), ElementsAre(0));
    subscription->poll(1, milliseconds(600));
    EXPECT_THAT(saved_commits(), ElementsAre(1));
}

TEST_F(EmbeddedBus, SavesCommitsWhenItCloses) {
    open();
    auto subscription = subscribe();
    publish("1");
    EXPECT_THAT(values(*subscription), ElementsAre("1"));
    subscription->commit("t", 0, 0);
    subscription.reset();
    bus_.reset();
    EXPECT_THAT(saved_commits(), ElementsAre(1));
}

TEST_F(EmbeddedBus, RefusesACommitOfWhatDoesNotExist) {
    open();
    const auto subscription = subscribe();
    publish("1");
    EXPECT_THROW(subscription->commit("t", 0, 1), std::logic_error);
    EXPECT_THROW(subscription->commit("t", 1, 0), std::logic_error);
    EXPECT_THROW(subscription->commit("nobody", 0, 0), std::logic_error);
}

TEST_F(EmbeddedBus, GivesWhatMemoryHasForgotten) {
    open();
    const auto slow = subscribe("slow");
    const auto quick = subscribe("quick");
    const std::string megabyte(1'000'000, 'x');
    for (char c = '0'; c < '0' + 40; ++c) {
        ASSERT_EQ(publish(c + megabyte), Delivery::acknowledged);
        ASSERT_EQ(quick->poll(1, Duration::zero()).at(0).value[0], c);
    }
    std::string order;
    for (std::vector<Message> given; !(given = slow->poll(1000, Duration::zero())).empty();) {
        EXPECT_LT(given.size(), 80) << "a poll is bounded in bytes";
        for (const Message& message : given) order += message.value[0];
    }
    ASSERT_EQ(order.size(), 40);
    EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST_F(EmbeddedBus, DropsOldMessagesThatEveryGroupHasPassed) {
    open();
    const auto ahead = subscribe("ahead");
    auto behind = subscribe("behind");
    for (int i = 0; i < 5; ++i) publish(fmt::to_string(i));
    EXPECT_EQ(values(*ahead).size(), 5U);
    EXPECT_EQ(values(*behind).size(), 5U);
    ahead->commit("t", 0, 4);
    behind->commit("t", 0, 1);
    clock_.advance(hours(24 * 7) + seconds(1));
    // A known group counts even without members.
    behind.reset();
    publish("5");
    EXPECT_THAT(column("SELECT position FROM messages"), ElementsAre(2, 3, 4, 5));
    EXPECT_THAT(values(*subscribe("new")), ElementsAre("2", "3", "4", "5"));
    EXPECT_EQ(bus_->state("new").at(0).lag, 4);
}

TEST_F(EmbeddedBus, KeepsTheNewestMessageSoThatOffsetsGoOn) {
    open();
    publish("0");
    publish("1");
    clock_.advance(hours(24 * 30));
    {
        const auto subscription = subscribe();
        EXPECT_THAT(values(*subscription), ElementsAre("0", "1"));
        subscription->commit("t", 0, 1);
    }
    clock_.advance(seconds(61));
    subscribe()->poll(1, Duration::zero());
    EXPECT_THAT(column("SELECT position FROM messages"), ElementsAre(1));
    open();
    publish("2");
    EXPECT_THAT(column("SELECT position FROM messages"), ElementsAre(1, 2));
}

TEST_F(EmbeddedBus, DropsNothingThatIsYoung) {
    open();
    publish("0");
    clock_.advance(hours(24 * 7) - seconds(1));
    publish("1");
    EXPECT_THAT(column("SELECT position FROM messages"), ElementsAre(0, 1));
}

TEST_F(EmbeddedBus, DropsInBoundedSteps) {
    open();
    const std::vector<OutgoingMessage> many(2500, {"t", "key", "old", {}});
    publisher_->publish(many);
    clock_.advance(hours(24 * 8));
    std::vector<std::int64_t> left;
    for (int i = 0; i < 4; ++i) {
        publish("new");
        left.push_back(
            column("SELECT count(*) FROM messages WHERE value = CAST('old' AS BLOB)")[0]);
        clock_.advance(milliseconds(100));
    }
    EXPECT_THAT(left, ElementsAre(1500, 500, 0, 0));
}

TEST_F(EmbeddedBus, AnswersUnavailableWhileTheDiskIsInTheWay) {
    open();
    const auto subscription = subscribe();
    publish("1");
    EXPECT_THAT(values(*subscription), ElementsAre("1"));
    subscription->commit("t", 0, 0);
    {
        const auto other = database()->begin(sql::Access::write);
        EXPECT_EQ(publish("2"), Delivery::unavailable);
    }
    EXPECT_EQ(publish("3"), Delivery::acknowledged);
    EXPECT_THAT(saved_commits(), ElementsAre(1)) << "the commit was not forgotten";
    EXPECT_THAT(values(*subscription), ElementsAre("3"));
}

TEST_F(EmbeddedBus, GoesOnAfterAWriteThatHappenedUnseen) {
    open();
    const auto subscription = subscribe();
    publish("1");
    {
        const auto unseen = database()->begin(sql::Access::write);
        unseen->add({"test.insert", "INSERT INTO messages VALUES (1, 1, 0, x'6b', x'32', x'')"},
                    {});
        unseen->commit();
    }
    EXPECT_EQ(publish("x"), Delivery::unavailable);
    EXPECT_EQ(publish("3"), Delivery::acknowledged);
    EXPECT_THAT(values(*subscription, 1), ElementsAre("1"));
    EXPECT_THAT(values(*subscription), ElementsAre("2", "3"));
}

TEST_F(EmbeddedBus, CountsAndTellsTheLagOfEachGroup) {
    open();
    const auto subscription = subscribe();
    publish("1");
    publish("2");
    EXPECT_THAT(values(*subscription), ElementsAre("1", "2"));
    subscription->commit("t", 0, 0);
    EXPECT_THAT(metrics_.prometheus_text(),
                ::testing::HasSubstr("trackops_bus_lag_messages{group=\"group\"} 1"));
    EXPECT_THAT(metrics_.prometheus_text(),
                ::testing::HasSubstr("trackops_bus_published_total{topic=\"t\"} 2"));
}

TEST_F(EmbeddedBus, IsNotAskedByTheRegistryOnceItIsGone) {
    open();
    bus_.reset();
    EXPECT_NO_THROW(metrics_.prometheus_text());
}

// Publishes until the process is killed, and writes the number of each acknowledged message to the
// pipe.
[[noreturn]] void publish_until_killed(const std::string& folder, int from, int pipe) {
    const trackops::testing::FakeClock clock;
    telemetry::Registry metrics;
    const auto bus = open_embedded(folder, {}, clock, metrics);
    const std::vector<std::string> topics = {"t"};
    bus->ensure_topics(topics);
    const auto publisher = bus->publisher();
    const auto subscription = bus->subscribe("group", topics);
    for (int number = from;;) {
        std::vector<OutgoingMessage> burst;
        for (int i = 0; i <= number % 7; ++i, ++number) {
            burst.push_back({"t", fmt::format("key-{}", number % 5), fmt::to_string(number), {}});
        }
        const auto answers = publisher->publish(burst);
        for (std::size_t i = 0; i < burst.size(); ++i) {
            const int told = std::stoi(burst[i].value);
            if (answers[i] != Delivery::acknowledged) ::_exit(1);
            if (::write(pipe, &told, sizeof told) != sizeof told) ::_exit(2);
        }
        for (const Message& message : subscription->poll(5, Duration::zero())) {
            subscription->commit("t", message.partition, message.offset);
        }
    }
}

TEST(EmbeddedBusCrash, LosesNothingThatWasAcknowledgedAndInventsNoCommit) {
    const trackops::testing::TemporaryFolder folder;
    std::minstd_rand random(7);
    std::set<int> acknowledged;
    for (int round = 0; round < 6; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            // Closed so that the child ends when its parent ends.
            ::close(ends[0]);
            publish_until_killed(folder.path(), 1'000'000 * round, ends[1]);
        }
        ::close(ends[1]);
        const std::size_t enough = acknowledged.size() + 1 + random() % 150;
        int told = 0;
        while (acknowledged.size() < enough && ::read(ends[0], &told, sizeof told) == sizeof told) {
            acknowledged.insert(told);
        }
        // Kills the child at a random point of a burst.
        ::usleep(static_cast<useconds_t>(random() % 3000));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        while (::read(ends[0], &told, sizeof told) == sizeof told) acknowledged.insert(told);
        ::close(ends[0]);
        ASSERT_TRUE(WIFSIGNALED(status)) << "round " << round << ": the child ended by itself";
        ASSERT_GE(acknowledged.size(), enough);

        const trackops::testing::FakeClock clock;
        telemetry::Registry metrics;
        const auto bus = open_embedded(folder.path(), {}, clock, metrics);
        const std::vector<std::string> topics = {"t"};
        const auto all = bus->subscribe(fmt::format("round-{}", round), topics);
        std::set<int> found;
        for (std::vector<Message> given; !(given = all->poll(1000, Duration::zero())).empty();) {
            for (const Message& message : given) {
                EXPECT_TRUE(found.insert(std::stoi(message.value)).second) << "doubled";
            }
        }
        EXPECT_TRUE(std::ranges::includes(found, acknowledged)) << "round " << round;
        const TopicState state = bus->state("group").at(0);
        EXPECT_GE(state.lag, 0);
        EXPECT_LE(state.lag, state.messages);
        EXPECT_EQ(state.messages, static_cast<std::int64_t>(found.size()));
    }
}

}  // namespace
}  // namespace trackops::bus
