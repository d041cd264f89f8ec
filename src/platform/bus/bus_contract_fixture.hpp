// For tests: a fixture for the contract of the bus, with either driver and members of a group.
#pragma once
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/backends/open_bus.hpp"
#include "platform/bus/bus.hpp"
#include "platform/kafka/kafka_for_tests.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::bus {

// The bound of a wait that ends at once unless something is broken.
inline constexpr Duration wait_max = std::chrono::seconds(60);

class BusContract : public ::testing::TestWithParam<const char*> {
protected:
    BusContract() { reopen(); }

    bool is_kafka() const { return GetParam() == std::string_view("kafka"); }
    void reopen() {
        bus_.reset();
        bus_ = backends::open_bus(url_, options_, clock_, metrics_);
    }
    void make(std::vector<std::string> topics) { bus_->ensure_topics(topics); }
    std::unique_ptr<Subscription> subscribe(std::string_view group,
                                            std::vector<std::string> topics = {"orders"}) {
        return bus_->subscribe(group, topics);
    }
    std::vector<Delivery> publish(std::vector<OutgoingMessage> messages) {
        return bus_->publisher()->publish(messages);
    }
    void publish_numbered(int from, int to, std::string_view topic = "orders") {
        std::vector<OutgoingMessage> messages;
        for (int i = from; i < to; ++i) {
            messages.push_back(
                {std::string(topic), fmt::format("key-{}", i % 10), fmt::to_string(i), {}});
        }
        ASSERT_THAT(publish(messages), ::testing::Each(Delivery::acknowledged));
    }
    // Polls until `count` messages have arrived.
    static std::vector<Message> take(Subscription& subscription, std::size_t count) {
        std::vector<Message> all;
        const auto deadline = std::chrono::steady_clock::now() + wait_max;
        while (all.size() < count && std::chrono::steady_clock::now() < deadline) {
            for (Message& message : subscription.poll(count - all.size(), wait_max)) {
                all.push_back(std::move(message));
            }
        }
        EXPECT_EQ(all.size(), count);
        return all;
    }
    static void commit_all(Subscription& subscription, const std::vector<Message>& messages) {
        for (const Message& message : messages) {
            subscription.commit(message.topic, message.partition, message.offset);
        }
    }
    static std::vector<int> numbers(const std::vector<Message>& messages) {
        std::vector<int> numbers;
        for (const Message& message : messages) numbers.push_back(std::stoi(message.value));
        std::ranges::sort(numbers);
        return numbers;
    }
    static std::vector<int> up_to(int from, int to) {
        std::vector<int> numbers;
        for (int i = from; i < to; ++i) numbers.push_back(i);
        return numbers;
    }
    std::int64_t lag(std::string_view group, std::string_view topic = "orders") {
        for (const TopicState& state : bus_->state(group)) {
            if (state.topic == topic) return state.lag;
        }
        return -1;
    }
    // Polls, because a member sends its commits only while it polls, until the lag of the group is
    // `expected`.
    void expect_lag(Subscription& member, std::string_view group, std::int64_t expected) {
        const auto deadline = std::chrono::steady_clock::now() + wait_max;
        while (lag(group) != expected && std::chrono::steady_clock::now() < deadline) {
            EXPECT_THAT(member.poll(1, std::chrono::milliseconds(10)), ::testing::IsEmpty());
        }
        EXPECT_EQ(lag(group), expected);
    }

    // Members join the group while they poll, and messages of moved partitions arrive twice.
    // share() publishes rounds of 100 messages until every member receives a part of a round and
    // each message arrives once. It commits the earlier rounds.
    struct Shared {
        int from = 0;  // the first number of the round
        std::map<Subscription*, std::vector<Message>> given;
    };
    Shared share(const std::vector<Subscription*>& members) {
        const auto deadline = std::chrono::steady_clock::now() + wait_max;
        for (int from = 0; std::chrono::steady_clock::now() < deadline; from += 100) {
            publish_numbered(from, from + 100);
            Shared round{.from = from, .given = {}};
            std::set<int> seen;
            std::size_t count = 0;
            while (seen.size() < 100 && std::chrono::steady_clock::now() < deadline) {
                for (Subscription* member : members) {
                    for (Message& message : member->poll(100, std::chrono::milliseconds(20))) {
                        const int number = std::stoi(message.value);
                        if (number < from) {
                            commit_all(*member, {message});
                            continue;
                        }
                        seen.insert(number);
                        ++count;
                        round.given[member].push_back(std::move(message));
                    }
                }
            }
            if (count == 100 && round.given.size() == members.size()) return round;
            for (const auto& [member, given] : round.given) commit_all(*member, given);
        }
        ADD_FAILURE() << "the members do not come to share";
        return {};
    }

    trackops::testing::TemporaryFolder folder_;
    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;
    Options options_{.session_timeout = std::chrono::seconds(4)};
    const std::string url_ = is_kafka() ? kafka_test_url() : "embedded:" + folder_.path();
    std::unique_ptr<Bus> bus_;
};

}  // namespace trackops::bus
