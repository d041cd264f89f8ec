// Tests of the Kafka bus with injected failures, on librdkafka's mock broker.
#include <algorithm>
#include <chrono>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "platform/bus/partition.hpp"
#include "platform/kafka/bus.hpp"
#include "platform/kafka/client.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Duration wait_max = seconds(20);
constexpr std::int16_t produce_request = 0;  // Kafka's numbers of its requests
constexpr std::int16_t offset_commit_request = 8;
constexpr std::int16_t offset_fetch_request = 9;

class KafkaFailures : public ::testing::Test {
protected:
    KafkaFailures() { rd_kafka_mock_topic_create(broker_.get(), "t", 3, 1); }

    void open() {
        bus_ =
            open_kafka(fmt::format("kafka://{}", rd_kafka_mock_cluster_bootstraps(broker_.get())),
                       options_, metrics_);
    }
    void go_down() { rd_kafka_mock_broker_set_down(broker_.get(), 1); }
    void come_up() { rd_kafka_mock_broker_set_up(broker_.get(), 1); }
    void fail_next(std::int16_t request, rd_kafka_resp_err_t error) {
        rd_kafka_mock_push_request_errors(broker_.get(), request, 1, error);
    }
    static std::vector<OutgoingMessage> numbered(int from, int to) {
        std::vector<OutgoingMessage> messages;
        for (int i = from; i < to; ++i) {
            messages.push_back({"t", fmt::format("key-{}", i), fmt::to_string(i), {}});
        }
        return messages;
    }
    static void publish_until_acknowledged(Publisher& publisher,
                                           const std::vector<OutgoingMessage>& messages) {
        const auto deadline = steady_clock::now() + wait_max;
        for (const OutgoingMessage& message : messages) {
            while (publisher.publish({&message, 1}).at(0) != Delivery::acknowledged) {
                ASSERT_LT(steady_clock::now(), deadline);
            }
        }
    }
    static std::vector<std::string> take(Subscription& member, std::size_t count) {
        std::vector<std::string> values;
        const auto deadline = steady_clock::now() + wait_max;
        while (values.size() < count && steady_clock::now() < deadline) {
            for (const Message& message : member.poll(count, milliseconds(100))) {
                values.push_back(message.value);
                member.commit(message.topic, message.partition, message.offset);
            }
        }
        std::ranges::sort(values);
        return values;
    }
    double unavailable(const std::string& reason) {
        return metrics_.counter("trackops_bus_unavailable_total", "", {{"reason", reason}}).value();
    }

    struct DestroyBroker {
        void operator()(rd_kafka_mock_cluster_t* broker) const {
            rd_kafka_mock_cluster_destroy(broker);
        }
    };
    telemetry::Registry metrics_;
    KafkaClient host_{KafkaRole::producer, {{"log_level", "2"}}, metrics_};
    std::unique_ptr<rd_kafka_mock_cluster_t, DestroyBroker> broker_{
        rd_kafka_mock_cluster_new(host_.get(), 1)};
    Options options_{.answer_timeout = milliseconds(500), .session_timeout = seconds(4)};
    std::unique_ptr<Bus> bus_;
};

TEST_F(KafkaFailures, AreReportedPerMessage) {
    options_.answer_timeout = seconds(10);
    open();
    const auto publisher = bus_->publisher();
    publish_until_acknowledged(*publisher, numbered(0, 1));
    fail_next(produce_request, RD_KAFKA_RESP_ERR_POLICY_VIOLATION);
    const std::vector<OutgoingMessage> messages = numbered(0, 3);
    std::set<std::int32_t> partitions;
    for (const OutgoingMessage& message : messages) partitions.insert(partition_of(message.key, 3));
    ASSERT_EQ(partitions.size(), 3) << "one request each";
    EXPECT_THAT(publisher->publish(messages),
                ::testing::UnorderedElementsAre(Delivery::unavailable, Delivery::acknowledged,
                                                Delivery::acknowledged));
    EXPECT_EQ(unavailable("POLICY_VIOLATION"), 1);
    EXPECT_THAT(publisher->publish(messages), Each(Delivery::acknowledged));
}

TEST_F(KafkaFailures, OfTheProducerItselfMakeANewOne) {
    options_.answer_timeout = seconds(10);
    open();
    const auto publisher = bus_->publisher();
    publish_until_acknowledged(*publisher, numbered(0, 1));
    fail_next(produce_request, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    EXPECT_THAT(publisher->publish(numbered(0, 1)), ElementsAre(Delivery::unavailable));
    EXPECT_THAT(publisher->publish(numbered(0, 1)), ElementsAre(Delivery::acknowledged));
}

TEST_F(KafkaFailures, OfTheBrokerAreAnsweredInTimeAndEndWithIt) {
    open();
    const auto publisher = bus_->publisher();
    publish_until_acknowledged(*publisher, numbered(0, 1));
    go_down();
    const auto start = steady_clock::now();
    EXPECT_THAT(publisher->publish(numbered(0, 3)), Each(Delivery::unavailable));
    EXPECT_THAT(publisher->publish(numbered(0, 3)), Each(Delivery::unavailable));
    EXPECT_LT(steady_clock::now() - start, seconds(15)) << "each has its bound";
    come_up();
    publish_until_acknowledged(*publisher, numbered(0, 3));
}

TEST_F(KafkaFailures, OfABrokerThatHangsAreAnsweredInTime) {
    open();
    const auto publisher = bus_->publisher();
    publish_until_acknowledged(*publisher, numbered(0, 1));
    rd_kafka_mock_broker_set_rtt(broker_.get(), 1, 5000);
    const auto start = steady_clock::now();
    EXPECT_THAT(publisher->publish(numbered(0, 3)), Each(Delivery::unavailable));
    EXPECT_LT(steady_clock::now() - start, seconds(4)) << "before the broker's answer";
}

TEST_F(KafkaFailures, EndAMembersWaitInTimeAndLoseItNoCommit) {
    options_.answer_timeout = seconds(10);
    open();
    const auto publisher = bus_->publisher();
    publish_until_acknowledged(*publisher, numbered(0, 1));
    auto member = bus_->subscribe("group", std::vector<std::string>{"t"});
    fail_next(offset_commit_request, RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE);
    // No later commit repeats this one.
    EXPECT_THAT(take(*member, 1), ElementsAre("0"));
    const auto& failed =
        metrics_.counter("trackops_bus_failed_commits_total", "", {{"group", "group"}});
    for (const auto deadline = steady_clock::now() + wait_max;
         failed.value() < 1 && steady_clock::now() < deadline;) {
        EXPECT_THAT(member->poll(1, milliseconds(10)), IsEmpty());
    }
    member.reset();
    member = bus_->subscribe("group", std::vector<std::string>{"t"});
    go_down();
    const auto start = steady_clock::now();
    EXPECT_THAT(member->poll(10, milliseconds(300)), IsEmpty());
    EXPECT_LT(steady_clock::now() - start, seconds(15));
    come_up();
    publish_until_acknowledged(*publisher, numbered(5, 8));
    EXPECT_THAT(take(*member, 3), ElementsAre("5", "6", "7"));
    go_down();
    const auto close = steady_clock::now();
    member.reset();
    EXPECT_LT(steady_clock::now() - close, options_.session_timeout + seconds(10)) << "as promised";
}

// Were it forgotten, the next member would be given "0" before "1".
TEST_F(KafkaFailures, OfACommitAreMadeGoodBeforeTheMemberLeaves) {
    options_.answer_timeout = seconds(10);
    open();
    const auto publisher = bus_->publisher();
    auto member = bus_->subscribe("group", std::vector<std::string>{"t"});
    fail_next(offset_commit_request, RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE);
    publish_until_acknowledged(*publisher, {{"t", "key", "0", {}}});
    EXPECT_THAT(take(*member, 1), ElementsAre("0"));
    const auto& failed =
        metrics_.counter("trackops_bus_failed_commits_total", "", {{"group", "group"}});
    for (const auto deadline = steady_clock::now() + wait_max;
         failed.value() < 1 && steady_clock::now() < deadline;) {
        EXPECT_THAT(member->poll(1, milliseconds(10)), IsEmpty());
    }
    ASSERT_EQ(failed.value(), 1);
    member.reset();
    publish_until_acknowledged(*publisher, {{"t", "key", "1", {}}});
    const auto next = bus_->subscribe("group", std::vector<std::string>{"t"});
    EXPECT_THAT(take(*next, 1), ElementsAre("1"));
}

// As on a broker that has only just started.
TEST_F(KafkaFailures, OfAGroupThatMovesAreWaitedFor) {
    options_.answer_timeout = wait_max;
    open();
    for (const auto error :
         {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
          RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR}) {
        for (int i = 0; i < 5; ++i) fail_next(offset_fetch_request, error);
        EXPECT_NO_THROW(bus_->state("group")) << rd_kafka_err2name(error);
    }
    fail_next(offset_fetch_request, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    EXPECT_THROW(bus_->state("group"), std::runtime_error) << "does not pass by itself";
}

TEST_F(KafkaFailures, OfABrokerThatIsNotThereSayWhatIsMissing) {
    options_.answer_timeout = milliseconds(200);
    const auto nobody = open_kafka("kafka://127.0.0.1:1", options_, metrics_);
    const auto start = steady_clock::now();
    EXPECT_THROW(nobody->ping(), std::runtime_error);
    EXPECT_THROW(nobody->state("group"), std::runtime_error);
    const std::vector<std::string> topics{"ORDER_CREATED"};
    try {
        nobody->ensure_topics(topics);
        FAIL() << "made it";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("127.0.0.1:1"));
        EXPECT_THAT(error.what(), HasSubstr("ORDER_CREATED"));
    }
    EXPECT_THAT(nobody->publisher()->publish(numbered(0, 1)), ElementsAre(Delivery::unavailable));
    EXPECT_THAT(nobody->subscribe("group", topics)->poll(1, milliseconds(10)), IsEmpty());
    EXPECT_LT(steady_clock::now() - start, seconds(30));
}

}  // namespace
}  // namespace trackops::bus
