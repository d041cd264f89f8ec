// Tests which bus URLs are accepted.
#include "platform/backends/open_bus.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/bus/bus.hpp"
#include "platform/kafka/target.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::bus {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string why_not(std::string_view url) {
    const trackops::testing::FakeClock clock;
    telemetry::Registry metrics;
    try {
        backends::open_bus(url, {}, clock, metrics);
        return "";
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
}

TEST(BusUrl, IsRefusedWithWhatIsWrongWithIt) {
    EXPECT_THAT(why_not("embedded:"), HasSubstr("names no folder"));
    EXPECT_THAT(why_not("nats://x"), HasSubstr("'nats://x'"));
    EXPECT_THAT(why_not("kafka:/me:s3cret@host:9092"), Not(HasSubstr("s3cret")));
    EXPECT_THAT(why_not("embedded://host/folder"), HasSubstr("has a host"));
    for (const char* url : {"kafka://", "kafka://localhost", "kafka://:9092", "kafka://a:1,",
                            "kafka://a:1,,b:2", "kafka://a:1,b", "kafka://[::1]"}) {
        EXPECT_THAT(why_not(url), HasSubstr("each server is HOST:PORT")) << url;
    }
    for (const char* url : {"kafka://a:0", "kafka://a:65536", "kafka://a:", "kafka://a:9x"}) {
        EXPECT_THAT(why_not(url), HasSubstr("port is no number")) << url;
    }
    EXPECT_THAT(why_not("kafka://a b:1"), HasSubstr("a space is %20"));
    EXPECT_THAT(why_not("kafka://a%2Cb:1"), HasSubstr("no host name"));
    EXPECT_THAT(why_not("kafka://a:1/topic"), HasSubstr("a path"));
    EXPECT_THAT(why_not("kafka://a:1?acks=0"), HasSubstr("none of prefix"));
    EXPECT_THAT(why_not("kafka://a:1?password=s3cret"),
                AllOf(HasSubstr("none of prefix"), Not(HasSubstr("s3cret"))));
    EXPECT_THAT(why_not("kafka://a:1?prefix=a/b"), HasSubstr("prefix may have"));
    EXPECT_THAT(why_not("kafka://a:1?replication=0"), HasSubstr("replication is a number"));
    EXPECT_THAT(why_not("kafka://a:1?partitions=x"), HasSubstr("partitions is a number"));
}

TEST(BusUrl, NeverTellsAPassword) {
    const std::string why = why_not("kafka://user:secret@a:1");
    EXPECT_THAT(why, HasSubstr("user or password"));
    EXPECT_THAT(why, Not(HasSubstr("secret")));
}

TEST(BusUrl, SaysServersPrefixAndWhatTopicsAreMadeLike) {
    const KafkaTarget plain = parse_kafka_url("kafka://[::1]:9092/", {.partitions = 7});
    EXPECT_EQ(plain.servers, "[::1]:9092");
    EXPECT_EQ(plain.prefix, "");
    EXPECT_EQ(plain.options.partitions, 7);
    EXPECT_EQ(plain.options.replication, -1);
    const KafkaTarget full =
        parse_kafka_url("kafka://a:1,b-2.c:2,[::1]:3?prefix=x.&replication=3&partitions=12", {});
    EXPECT_EQ(full.servers, "a:1,b-2.c:2,[::1]:3");
    EXPECT_EQ(full.prefix, "x.");
    EXPECT_EQ(full.options.replication, 3);
    EXPECT_EQ(full.options.partitions, 12);
}

}  // namespace
}  // namespace trackops::bus
