// Tests of what only the Kafka bus promises, on a real broker: members that come and go, and
// producers of other programs.
#include "platform/kafka/bus.hpp"

#include <algorithm>
#include <array>
#include <future>
#include <map>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include "platform/bus/consumer.hpp"
#include "platform/kafka/client.hpp"
#include "platform/kafka/kafka_for_tests.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Duration wait_max = seconds(20);

// A client of another program on the same broker.
class Foreigner {
public:
    Foreigner()
        : client_(KafkaRole::producer,
                  common_kafka_settings(parse_kafka_url(kafka_test_server(), {})), metrics_) {}

    void make_topic(const std::string& name, const char* setting, const char* value) {
        std::array<char, 256> why{};
        rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), 1, -1, why.data(), 256);
        rd_kafka_NewTopic_set_config(topic, setting, value);
        const KafkaQueue answers(rd_kafka_queue_new(client_.get()));
        rd_kafka_CreateTopics(client_.get(), &topic, 1, nullptr, answers.get());
        rd_kafka_event_destroy(rd_kafka_queue_poll(answers.get(), kafka_ms(wait_max)));
        rd_kafka_NewTopic_destroy(topic);
    }
    // Sends a message; a null pointer stands for an absent key or value. Its header "odd" has no
    // value.
    void send(const std::string& topic, const char* key, const char* value) {
        rd_kafka_headers_t* const headers = rd_kafka_headers_new(2);
        rd_kafka_header_add(headers, "odd", -1, nullptr, 0);
        rd_kafka_header_add(headers, "ce_id", -1, "\xff\xfe\0\n", 4);
        std::array<rd_kafka_vu_t, 6> parts{};
        parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
        parts[0].u.cstr = topic.c_str();
        parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
        parts[1].u.i32 = 0;
        parts[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
        parts[2].u.i = RD_KAFKA_MSG_F_COPY;
        parts[3].vtype = RD_KAFKA_VTYPE_KEY;
        parts[3].u.mem = {const_cast<char*>(key), key == nullptr ? 0 : std::string(key).size()};
        parts[4].vtype = RD_KAFKA_VTYPE_VALUE;
        parts[4].u.mem = {const_cast<char*>(value),
                          value == nullptr ? 0 : std::string(value).size()};
        parts[5].vtype = RD_KAFKA_VTYPE_HEADERS;
        parts[5].u.headers = headers;
        ASSERT_EQ(rd_kafka_produceva(client_.get(), parts.data(), parts.size()), nullptr);
        ASSERT_EQ(rd_kafka_flush(client_.get(), kafka_ms(wait_max)), RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    void delete_topics(const std::vector<std::string>& names) {
        std::vector<rd_kafka_DeleteTopic_t*> topics;
        for (const std::string& name : names) {
            topics.push_back(rd_kafka_DeleteTopic_new(name.c_str()));
        }
        const KafkaQueue answers(rd_kafka_queue_new(client_.get()));
        rd_kafka_DeleteTopics(client_.get(), topics.data(), topics.size(), nullptr, answers.get());
        rd_kafka_event_destroy(rd_kafka_queue_poll(answers.get(), kafka_ms(wait_max)));
        rd_kafka_DeleteTopic_destroy_array(topics.data(), topics.size());
    }

private:
    telemetry::Registry metrics_;
    const KafkaClient client_;
};

// Deletes the topics at the end of the run, whichever tests it had.
class LeavesNoTopics final : public ::testing::Environment {
public:
    void TearDown() override {
        if (std::getenv("TRACKOPS_TEST_KAFKA") == nullptr) return;
        telemetry::Registry metrics;
        const auto bus = open_kafka(
            fmt::format("{}?prefix={}", kafka_test_server(), kafka_test_run()), {}, metrics);
        std::vector<std::string> names;
        for (const TopicState& one : bus->state("nobody")) {
            names.push_back(kafka_test_run() + one.topic);
        }
        if (!names.empty()) Foreigner().delete_topics(names);
    }
};
const auto* const leaves_no_topics = ::testing::AddGlobalTestEnvironment(new LeavesNoTopics);

class KafkaBus : public ::testing::Test {
protected:
    void open() {
        bus_.reset();
        bus_ = open_kafka(fmt::format("{}?prefix={}", kafka_test_server(), prefix_), options_,
                          metrics_);
    }
    void make(std::vector<std::string> topics) { bus_->ensure_topics(topics); }
    std::unique_ptr<Subscription> subscribe(std::vector<std::string> topics = {"t"}) {
        return bus_->subscribe("group", topics);
    }
    std::vector<Delivery> publish(const std::vector<OutgoingMessage>& messages) {
        return bus_->publisher()->publish(messages);
    }
    void publish_numbered(int from, int to) {
        std::vector<OutgoingMessage> messages;
        for (int i = from; i < to; ++i) {
            messages.push_back({"t", fmt::format("key-{}", i % 10), fmt::to_string(i), {}});
        }
        ASSERT_THAT(publish(messages), Each(Delivery::acknowledged));
    }
    static std::vector<Message> take(Subscription& subscription, std::size_t count) {
        std::vector<Message> all;
        const auto deadline = steady_clock::now() + wait_max;
        while (all.size() < count && steady_clock::now() < deadline) {
            for (Message& message : subscription.poll(count - all.size(), milliseconds(100))) {
                all.push_back(std::move(message));
            }
        }
        EXPECT_EQ(all.size(), count);
        return all;
    }
    static void commit_all(Subscription& member, const std::vector<Message>& messages) {
        for (const Message& message : messages) {
            member.commit(message.topic, message.partition, message.offset);
        }
    }
    std::int64_t lag() { return bus_->state("group").at(0).lag; }
    // Destroys `member` in a thread of its own. Returns false if that takes longer than `max`; the
    // stuck thread is left behind.
    static bool leaves_in(Duration max, std::unique_ptr<Subscription> member) {
        std::promise<void> left;
        std::future<void> done = left.get_future();
        std::thread([member = std::move(member), left = std::move(left)]() mutable {
            member.reset();
            left.set_value();
        }).detach();
        return done.wait_for(max) == std::future_status::ready;
    }
    double count(const std::string& name) {
        return metrics_.counter("trackops_bus_" + name + "_total", "", {{"group", "group"}})
            .value();
    }

    telemetry::Registry metrics_;
    const std::string prefix_ = kafka_test_prefix();
    Options options_{.session_timeout = seconds(4)};
    std::unique_ptr<Bus> bus_;
};

TEST_F(KafkaBus, KeepsItsPrefixToItself) {
    open();
    make({"t"});
    EXPECT_THAT(bus_->state("group"), ElementsAre(::testing::Field(&TopicState::topic, "t")));
    const auto member = subscribe();
    publish_numbered(0, 1);
    EXPECT_EQ(take(*member, 1).at(0).topic, "t");
    const auto outside = open_kafka(
        fmt::format("{}?prefix={}", kafka_test_server(), kafka_test_run()), {}, metrics_);
    const auto topics = outside->state("group");
    EXPECT_TRUE(std::ranges::count(topics, prefix_.substr(kafka_test_run().size()) + "t",
                                   &TopicState::topic));
}

TEST_F(KafkaBus, AcceptsATopicWithFewerPartitionsAndNamesOneThatCannotBeMade) {
    options_.partitions = 1;
    open();
    make({"t"});
    options_.partitions = 3;
    open();
    EXPECT_NO_THROW(make({"t", "other"}));
    try {
        make({"t", "no name!"});
        FAIL() << "made it";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("lacks no name!"));
    }
    options_.replication = 99;
    open();
    EXPECT_THROW(make({"third"}), std::runtime_error);
}

TEST_F(KafkaBus, RefusesOnlyWhoIsAtFaultWhenTheBrokerRefusesABatch) {
    open();
    Foreigner().make_topic(prefix_ + "t", "max.message.bytes", "2000");
    make({"t"});
    std::vector<OutgoingMessage> messages(20, {"t", "key", std::string(300, 'x'), {}});
    messages[7].value = std::string(5000, 'x');
    std::vector<Delivery> expected(20, Delivery::acknowledged);
    expected[7] = Delivery::refused;
    EXPECT_EQ(publish(messages), expected);
    EXPECT_EQ(bus_->state("group").at(0).messages, 19);
}

TEST_F(KafkaBus, PutsWhateverAForeignProducerSendsAsideAndGoesOn) {
    options_ = {.partitions = 1, .message_bytes_max = 4000, .session_timeout = seconds(4)};
    open();
    make({"t"});
    Foreigner foreigner;
    foreigner.send(prefix_ + "t", nullptr, nullptr);
    foreigner.send(prefix_ + "t", "", "\xff\xfe{");
    foreigner.send(prefix_ + "t", "key", std::string(900'000, 'x').c_str());
    publish_numbered(3, 5);
    std::vector<std::string> handled;
    Consumer consumer(
        *bus_, {.group = "group", .topics = {"t"}},
        [&](std::span<const Message> batch) {
            std::vector<Disposition> dispositions;
            for (const Message& message : batch) {
                if (message.header("ce_id").empty()) {
                    handled.push_back(message.value);
                    dispositions.emplace_back(Done{});
                } else {
                    dispositions.emplace_back(DeadLetter{"garbage"});
                }
            }
            return dispositions;
        },
        metrics_);
    const auto deadline = steady_clock::now() + wait_max;
    for (std::size_t done = 0; done < 5 && steady_clock::now() < deadline;) {
        done += consumer.run(seconds(1)).done;
    }
    EXPECT_THAT(handled, ElementsAre("3", "4"));
    const std::vector<Message> letters =
        take(*bus_->subscribe("people", std::vector<std::string>{"t.DLT"}), 3);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(letters.at(i).header("dlt-topic"), "t");
        EXPECT_EQ(letters.at(i).header("dlt-partition"), "0");
        EXPECT_EQ(letters.at(i).header("dlt-offset"), fmt::to_string(i));
        EXPECT_EQ(letters.at(i).header("dlt-reason"), "garbage");
    }
    EXPECT_EQ(letters[0].header("ce_id"), std::string_view("\xff\xfe\0\n", 4));
    EXPECT_EQ(letters[0].headers.at(0), (Header{"odd", ""}));
    EXPECT_EQ(letters[1].value, "\xff\xfe{");
    EXPECT_EQ(letters[2].value, "") << "too large for our limit with its headers";
}

// A group whose members come and go while messages arrive. Some member handles each message.
TEST_F(KafkaBus, HandlesEverythingWhileMembersComeAndGo) {
    open();
    make({"t"});
    std::mutex mutex;
    std::set<std::string> handled;
    const auto handler = [&](std::span<const Message> batch) {
        const std::scoped_lock lock(mutex);
        for (const Message& message : batch) handled.insert(message.value);
        return std::vector<Disposition>(batch.size(), Done{});
    };
    const auto member = [&](std::stop_token stop) {
        Consumer consumer(*bus_, {.group = "group", .topics = {"t"}, .batch_max = 7}, handler,
                          metrics_);
        while (!stop.stop_requested()) consumer.run(milliseconds(20));
    };
    int number = 0;
    const auto work_until = [&](auto&& is_enough) {
        const auto deadline = steady_clock::now() + wait_max;
        do {
            publish_numbered(number, number + 20);
            number += 20;
        } while (!is_enough() && steady_clock::now() < deadline);
        EXPECT_TRUE(is_enough());
    };
    const auto rebalances = [&](double at_least) {
        return [&, at_least] { return count("rebalances") >= at_least; };
    };
    std::jthread first(member);
    work_until(rebalances(1));
    std::jthread second(member);
    // The first member gives partitions up, and both take part in the second round.
    work_until(rebalances(4));
    first = {};
    // The first member leaves, and the second takes its partitions over.
    work_until(rebalances(6));
    const auto all = [&] {
        const std::scoped_lock lock(mutex);
        return handled.size() == static_cast<std::size_t>(number);
    };
    for (const auto deadline = steady_clock::now() + wait_max;
         !(all() && lag() == 0) && steady_clock::now() < deadline;) {
    }
    EXPECT_TRUE(all());
    EXPECT_EQ(lag(), 0);
}

TEST_F(KafkaBus, GivesWhatASilentMemberHeldToAnotherAndIgnoresItsCommits) {
    options_ = {.session_timeout = seconds(1), .poll_interval_max = seconds(1)};
    open();
    make({"t"});
    auto silent = subscribe();
    publish_numbered(0, 30);
    const std::vector<Message> held = take(*silent, 30);
    // A member with the default timeouts, so that the group does not remove it when the test is
    // slow for a second.
    telemetry::Registry metrics;
    const auto patient =
        open_kafka(fmt::format("{}?prefix={}", kafka_test_server(), prefix_), {}, metrics);
    auto other = patient->subscribe("group", std::vector<std::string>{"t"});
    commit_all(*other, take(*other, 30));
    publish_numbered(30, 60);
    commit_all(*other, take(*other, 30));
    commit_all(*silent, held);
    silent.reset();
    other.reset();
    EXPECT_EQ(lag(), 0);
}

TEST_F(KafkaBus, TakesASilentMemberInAgain) {
    options_ = {.session_timeout = seconds(1), .poll_interval_max = seconds(1)};
    open();
    make({"t"});
    const auto silent = subscribe();
    publish_numbered(0, 30);
    take(*silent, 30);
    auto other = subscribe();
    take(*other, 30);
    other.reset();
    EXPECT_EQ(take(*silent, 30).size(), 30);
}

// Before version 2.4, librdkafka never finishes closing a consumer that waits for an empty
// assignment.
TEST_F(KafkaBus, LetsAMemberLeaveBeforeItsEmptyAssignment) {
    options_ = {.partitions = 1, .session_timeout = wait_max + seconds(10)};
    open();
    make({"t"});
    auto busy = subscribe();
    publish_numbered(0, 1);
    take(*busy, 1);
    auto idle = subscribe();
    const auto deadline = steady_clock::now() + wait_max;
    while (count("rebalances") < 2 && steady_clock::now() < deadline) {
        EXPECT_THAT(busy->poll(1, milliseconds(20)), IsEmpty());
    }
    ASSERT_EQ(count("rebalances"), 2) << "the group has two members now";
    publish_numbered(1, 2);
    take(*busy, 1);
    ASSERT_TRUE(leaves_in(wait_max, std::move(idle)));
    ASSERT_TRUE(leaves_in(wait_max, std::move(busy)));
    // Does not wait until the sessions of the two members time out.
    take(*subscribe(), 1);
}

}  // namespace
}  // namespace trackops::bus
