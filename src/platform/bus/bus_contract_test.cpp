// The contract of a bus, tested against each adapter.
#include <algorithm>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/bus/bus_contract_fixture.hpp"
#include "platform/bus/consumer.hpp"

namespace trackops::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_P(BusContract, KeepsTheOrderOfEachKeyInOnePartition) {
    make({"orders"});
    const auto subscription = subscribe("group");
    publish_numbered(0, 100);
    publish_numbered(100, 200);
    std::map<std::string, std::vector<int>> by_key;
    std::map<std::string, std::set<std::int32_t>> partitions;
    for (const Message& message : take(*subscription, 200)) {
        by_key[message.key].push_back(std::stoi(message.value));
        partitions[message.key].insert(message.partition);
    }
    ASSERT_EQ(by_key.size(), 10);
    for (const auto& [key, values] : by_key) {
        EXPECT_TRUE(std::ranges::is_sorted(values)) << key;
        EXPECT_EQ(values.size(), 20) << key;
        EXPECT_EQ(partitions[key].size(), 1) << key;
    }
}

TEST_P(BusContract, GivesOffsetsWithoutGapsFromAllPartitions) {
    make({"orders"});
    publish_numbered(0, 100);
    const auto subscription = subscribe("group");
    std::map<std::int32_t, std::vector<std::int64_t>> offsets;
    for (const Message& message : take(*subscription, 100)) {
        offsets[message.partition].push_back(message.offset);
    }
    ASSERT_EQ(offsets.size(), 3);
    for (const auto& [partition, given] : offsets) {
        for (std::size_t i = 0; i < given.size(); ++i) {
            EXPECT_EQ(given[i], static_cast<std::int64_t>(i));
        }
    }
}

TEST_P(BusContract, CarriesAnyBytes) {
    make({"orders"});
    const std::string bytes("\0\xff\n'$1\x80", 7);
    const OutgoingMessage sent{"orders", "k" + bytes, bytes, {{"a", bytes}, {"", ""}, {"a", "b"}}};
    publish({sent, {"orders", "empty", "", {}}});
    for (const auto* group : {"group", "another"}) {
        const auto subscription = subscribe(group);
        std::vector<Message> given = take(*subscription, 2);
        ASSERT_EQ(given.size(), 2);
        if (given[0].value.empty()) std::swap(given[0], given[1]);
        EXPECT_EQ(given[0].key, sent.key);
        EXPECT_EQ(given[0].value, sent.value);
        EXPECT_EQ(given[0].headers, sent.headers);
        EXPECT_EQ(given[0].header("a"), bytes);
        EXPECT_EQ(given[0].header("nobody"), "");
        EXPECT_EQ(given[1].value, "");
        EXPECT_THAT(given[1].headers, IsEmpty());
        for (const Message& message : given) {
            const auto now = std::chrono::system_clock::now().time_since_epoch();
            const Instant taken =
                is_kafka() ? Instant{duration_cast<Duration>(now).count()} : clock_.now();
            EXPECT_LT(std::chrono::abs(message.timestamp - taken),
                      is_kafka() ? Duration(seconds(10)) : Duration(1));
        }
    }
}

TEST_P(BusContract, TakesMessagesWithoutAKey) {
    make({"orders"});
    const auto subscription = subscribe("group");
    const std::vector<OutgoingMessage> keyless(6, {"orders", "", "7", {}});
    EXPECT_THAT(publish(keyless), ::testing::Each(Delivery::acknowledged));
    for (const Message& message : take(*subscription, 6)) EXPECT_EQ(message.key, "");
}

TEST_P(BusContract, ForgetsNothingOverARestart) {
    make({"orders"});
    auto subscription = subscribe("group");
    publish_numbered(0, 50);
    commit_all(*subscription, take(*subscription, 50));
    expect_lag(*subscription, "group", 0);
    publish_numbered(50, 70);
    subscription.reset();
    reopen();
    EXPECT_EQ(lag("group"), 20);
    subscription = subscribe("group");
    EXPECT_EQ(numbers(take(*subscription, 20)), up_to(50, 70));
    publish_numbered(70, 80);
    EXPECT_EQ(numbers(take(*subscription, 10)), up_to(70, 80));
}

TEST_P(BusContract, GivesWhatWasNotCommittedAgainAfterARestart) {
    make({"orders"});
    auto subscription = subscribe("group");
    publish_numbered(0, 30);
    take(*subscription, 30);
    subscription.reset();
    reopen();
    subscription = subscribe("group");
    EXPECT_EQ(numbers(take(*subscription, 30)), up_to(0, 30));
    EXPECT_THAT(subscription->poll(10, Duration::zero()), IsEmpty());
}

TEST_P(BusContract, GivesEachGroupEverything) {
    make({"orders"});
    const auto first = subscribe("first");
    const auto second = subscribe("second");
    publish_numbered(0, 20);
    commit_all(*first, take(*first, 20));
    expect_lag(*first, "first", 0);
    EXPECT_EQ(lag("second"), 20);
    EXPECT_EQ(numbers(take(*second, 20)), up_to(0, 20));
}

TEST_P(BusContract, SharesPartitionsBetweenTheMembersOfAGroup) {
    make({"orders"});
    const auto first = subscribe("group");
    const auto second = subscribe("group");
    std::map<std::int32_t, std::set<Subscription*>> owners;
    for (const auto& [member, given] : share({first.get(), second.get()}).given) {
        for (const Message& message : given) owners[message.partition].insert(member);
    }
    EXPECT_EQ(owners.size(), 3);
    for (const auto& [partition, members] : owners) EXPECT_EQ(members.size(), 1) << partition;
}

TEST_P(BusContract, GivesAMembersUncommittedMessagesToTheOneThatStays) {
    make({"orders"});
    const auto stays = subscribe("group");
    auto leaves = subscribe("group");
    Shared shared = share({stays.get(), leaves.get()});
    std::vector<Message> kept = std::move(shared.given[stays.get()]);
    const std::vector<Message> lost = std::move(shared.given[leaves.get()]);
    ASSERT_GT(lost.size(), 1);
    leaves->commit(lost[0].topic, lost[0].partition, lost[0].offset);
    expect_lag(*leaves, "group", 99);
    leaves.reset();
    std::vector<Message> again = take(*stays, lost.size() - 1);
    std::ranges::move(again, std::back_inserter(kept));
    kept.push_back(lost[0]);
    EXPECT_EQ(numbers(kept), up_to(shared.from, shared.from + 100));
}

TEST_P(BusContract, WakesAMemberThatAnotherOneLeavesWorkTo) {
    make({"orders"});
    const auto stays = subscribe("group");
    auto leaves = subscribe("group");
    const std::size_t mine = share({stays.get(), leaves.get()}).given[stays.get()].size();
    std::thread leaver([&] { leaves.reset(); });
    EXPECT_EQ(take(*stays, 100 - mine).size(), 100 - mine);
    leaver.join();
}

TEST_P(BusContract, IgnoresTheCommitOfAMemberThatHasLostThePartition) {
    make({"orders"});
    const auto first = subscribe("group");
    publish_numbered(0, 100);
    const std::vector<Message> given = take(*first, 100);
    const auto second = subscribe("group");
    std::set<std::int32_t> moved;
    std::size_t again = 0;
    const auto is_moved = [&](const Message& message) { return moved.contains(message.partition); };
    const auto deadline = std::chrono::steady_clock::now() + wait_max;
    while (
        (again == 0 || again != static_cast<std::size_t>(std::ranges::count_if(given, is_moved))) &&
        std::chrono::steady_clock::now() < deadline) {
        EXPECT_THAT(first->poll(100, milliseconds(10)), IsEmpty());
        for (const Message& message : second->poll(100, milliseconds(20))) {
            moved.insert(message.partition);
            ++again;
        }
    }
    commit_all(*first, given);
    EXPECT_THAT(moved.size(), ::testing::AllOf(::testing::Ge(1), ::testing::Le(2)));
    expect_lag(*first, "group", std::ranges::count_if(given, is_moved));
}

TEST_P(BusContract, GivesNothingOfAPausedPartition) {
    make({"orders"});
    const auto subscription = subscribe("group");
    // The next 60 have the same keys.
    publish_numbered(0, 60);
    const auto of_partition_2 = static_cast<std::size_t>(
        std::ranges::count(take(*subscription, 60), 2, &Message::partition));
    subscription->pause("orders", 0, true);
    subscription->pause("orders", 1, true);
    publish_numbered(60, 120);
    std::vector<Message> all = take(*subscription, of_partition_2);
    for (const Message& message : all) EXPECT_EQ(message.partition, 2);
    EXPECT_THAT(subscription->poll(60, milliseconds(20)), IsEmpty());
    subscription->pause("orders", 0, false);
    subscription->pause("orders", 1, false);
    std::ranges::move(take(*subscription, 60 - all.size()), std::back_inserter(all));
    EXPECT_EQ(numbers(all), up_to(60, 120));
}

TEST_P(BusContract, RefusesAMessageThatIsTooLargeAndTakesItsNeighbours) {
    options_.message_bytes_max = 1000;
    reopen();
    make({"orders"});
    const auto subscription = subscribe("group");
    const auto answers = publish({{"orders", "a", "1", {}},
                                  {"orders", "b", std::string(1000, 'x'), {}},
                                  {"orders", "c", std::string(990, 'x'), {{"name", "value"}}},
                                  {"orders", "d", std::string(999, '2'), {}}});
    EXPECT_THAT(answers, ElementsAre(Delivery::acknowledged, Delivery::refused,
                                     Delivery::acknowledged, Delivery::acknowledged));
    EXPECT_EQ(take(*subscription, 3).size(), 3);
}

TEST_P(BusContract, AnswersUnavailableForAnUnknownTopic) {
    make({"orders"});
    const auto subscription = subscribe("group");
    EXPECT_THAT(publish({{"nobody", "a", "1", {}}, {"orders", "a", "2", {}}}),
                ElementsAre(Delivery::unavailable, Delivery::acknowledged));
    EXPECT_EQ(numbers(take(*subscription, 1)), up_to(2, 3));
}

TEST_P(BusContract, TakesMessagesForATopicThatIsMadeAfterItWasUnknown) {
    const auto publisher = bus_->publisher();
    const OutgoingMessage message{"orders", "a", "1", {}};
    EXPECT_THAT(publisher->publish({&message, 1}), ElementsAre(Delivery::unavailable));
    make({"orders"});
    EXPECT_THAT(publisher->publish({&message, 1}), ElementsAre(Delivery::acknowledged));
}

TEST_P(BusContract, GivesTopicsThatAreMadeAfterTheSubscription) {
    const auto subscription = subscribe("group", {"orders", "late"});
    make({"orders"});
    make({"late", "orders"});
    publish_numbered(0, 5, "late");
    EXPECT_EQ(numbers(take(*subscription, 5)), up_to(0, 5));
}

TEST_P(BusContract, PublishEndsAWaitInPoll) {
    make({"orders"});
    const auto subscription = subscribe("group");
    publish_numbered(0, 1);
    take(*subscription, 1);
    const auto start = std::chrono::steady_clock::now();
    // Repeated, so that at least one publish finds the poll waiting.
    for (int i = 1; i < 5; ++i) {
        std::thread publisher([&] { publish_numbered(i, i + 1); });
        EXPECT_EQ(numbers(subscription->poll(10, wait_max)), up_to(i, i + 1));
        publisher.join();
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, wait_max);
}

TEST_P(BusContract, WakeEndsAWaitInPollNowOrTheNextTime) {
    make({"orders"});
    const auto subscription = subscribe("group");
    const auto start = std::chrono::steady_clock::now();
    subscription->wake();
    EXPECT_THAT(subscription->poll(10, wait_max), IsEmpty());
    std::thread waker([&] { subscription->wake(); });
    EXPECT_THAT(subscription->poll(10, wait_max), IsEmpty());
    EXPECT_LT(std::chrono::steady_clock::now() - start, wait_max);
    waker.join();
}

TEST_P(BusContract, TakesBurstsOfSeveralPublishersAtOnce) {
    make({"orders"});
    const auto subscription = subscribe("group");
    std::vector<std::thread> publishers;
    for (int p = 0; p < 4; ++p) {
        publishers.emplace_back([this, p] {
            const auto publisher = bus_->publisher();
            for (int i = 0; i < 25; ++i) {
                const int number = p * 50 + 2 * i;
                const std::vector<OutgoingMessage> burst = {
                    {"orders", fmt::format("key-{}", p), fmt::to_string(number), {}},
                    {"orders", fmt::format("key-{}", p), fmt::to_string(number + 1), {}}};
                EXPECT_THAT(publisher->publish(burst), ::testing::Each(Delivery::acknowledged));
            }
        });
    }
    const std::vector<Message> all = take(*subscription, 200);
    for (std::thread& publisher : publishers) publisher.join();
    EXPECT_EQ(numbers(all), up_to(0, 200));
    std::map<std::string, int> newest;
    for (const Message& message : all) {
        const int number = std::stoi(message.value);
        const auto [found, is_first] = newest.try_emplace(message.key, number);
        EXPECT_TRUE(is_first || std::exchange(found->second, number) < number);
    }
}

TEST_P(BusContract, PutsDeadLettersAsideWithTheirCoordinates) {
    make({"orders"});
    publish({{"orders", "key", "poison", {{"mine", "1"}}}, {"orders", "key", "good", {}}});
    Consumer consumer(
        *bus_, {.group = "group", .topics = {"orders"}},
        [](std::span<const Message> batch) {
            std::vector<Disposition> dispositions;
            for (const Message& message : batch) {
                dispositions.push_back(message.value == "poison" ? Disposition(DeadLetter{"why"})
                                                                 : Disposition(Done{}));
            }
            return dispositions;
        },
        metrics_);
    for (std::size_t done = 0; done < 2;) done += consumer.run(wait_max).done;
    const auto deadline = std::chrono::steady_clock::now() + wait_max;
    while (lag("group") != 0 && std::chrono::steady_clock::now() < deadline) {
        consumer.run(milliseconds(10));
    }
    EXPECT_EQ(lag("group"), 0);
    const auto dead = subscribe("people", {"orders.DLT"});
    const Message letter = take(*dead, 1).at(0);
    EXPECT_EQ(letter.key, "key");
    EXPECT_EQ(letter.value, "poison");
    const auto partition = std::string(letter.header("dlt-partition"));
    EXPECT_THAT(letter.headers,
                ElementsAre(Header{"mine", "1"}, Header{"dlt-topic", "orders"},
                            Header{"dlt-partition", partition}, Header{"dlt-offset", "0"},
                            Header{"dlt-reason", "why"}, Header{"dlt-group", "group"}));
}

TEST_P(BusContract, TellsMessagesAndLagByTopic) {
    make({"orders", "other"});
    EXPECT_NO_THROW(bus_->ping());
    const auto subscription = subscribe("group");
    publish_numbered(0, 10);
    publish_numbered(0, 3, "other");
    subscription->commit("orders", 0, -1);
    for (const Message& message : take(*subscription, 10)) {
        if (message.partition == 0 && message.offset == 0) subscription->commit("orders", 0, 0);
    }
    expect_lag(*subscription, "group", 9);
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> state;
    for (const TopicState& topic : bus_->state("group")) {
        state[topic.topic] = {topic.messages, topic.lag};
    }
    EXPECT_EQ(state["orders"], std::pair(std::int64_t{10}, std::int64_t{9}));
    EXPECT_EQ(state["other"].first, 3);
}

INSTANTIATE_TEST_SUITE_P(Buses, BusContract, ::testing::Values("embedded", "kafka"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace trackops::bus
