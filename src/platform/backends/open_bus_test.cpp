// Tests which bus URLs are accepted.
#include "platform/backends/open_bus.hpp"

#include <map>
#include <stdexcept>
#include <string>

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
    for (const char* url : {"kafka://user:secret@a", "kafka://user:secret@a:1?tls=maybe",
                            "kafka://user:secret@a:1?sasl=GSSAPI"}) {
        EXPECT_THAT(why_not(url), AllOf(Not(""), Not(HasSubstr("secret")))) << url;
    }
}

std::map<std::string, std::string> security_of(const char* url) {
    std::map<std::string, std::string> all;
    for (const auto& [name, value] : parse_kafka_url(url, {}).security)
        all.emplace(name, value.reveal());
    return all;
}

TEST(BusUrl, SaysHowTheBrokerIsToBeTrustedAndConvinced) {
    using Settings = std::map<std::string, std::string>;
    EXPECT_EQ(security_of("kafka://a:1"), Settings());
    EXPECT_EQ(security_of("kafka://a:1?tls=false"), Settings());
    EXPECT_EQ(security_of("kafka://a:1?tls=true&ca=/ca&cert=/c&key=/k"),
              (Settings{{"security.protocol", "ssl"},
                        {"ssl.ca.location", "/ca"},
                        {"ssl.certificate.location", "/c"},
                        {"ssl.endpoint.identification.algorithm", "https"},
                        {"ssl.key.location", "/k"}}));
    EXPECT_EQ(security_of("kafka://me:p%40ss@a:1?tls=true"),
              (Settings{{"security.protocol", "sasl_ssl"},
                        {"ssl.endpoint.identification.algorithm", "https"},
                        {"sasl.mechanism", "SCRAM-SHA-512"},
                        {"sasl.username", "me"},
                        {"sasl.password", "p@ss"}}));
    EXPECT_EQ(security_of("kafka://me:pass@a:1?sasl=PLAIN"),
              (Settings{{"security.protocol", "sasl_plaintext"},
                        {"sasl.mechanism", "PLAIN"},
                        {"sasl.username", "me"},
                        {"sasl.password", "pass"}}));
    EXPECT_EQ(security_of("kafka://id:pass@a:1?tls=true&sasl=OAUTHBEARER&oauth-url=https://x/t"),
              (Settings{{"security.protocol", "sasl_ssl"},
                        {"ssl.endpoint.identification.algorithm", "https"},
                        {"sasl.mechanism", "OAUTHBEARER"},
                        {"sasl.oauthbearer.method", "oidc"},
                        {"sasl.oauthbearer.token.endpoint.url", "https://x/t"},
                        {"sasl.oauthbearer.client.id", "id"},
                        {"sasl.oauthbearer.client.secret", "pass"}}));
    for (const char* url :
         {"kafka://a:1?ca=/ca", "kafka://me@a:1", "kafka://me:@a:1", "kafka://:pass@a:1",
          "kafka://a:1?sasl=PLAIN", "kafka://a:1?tls=yes", "kafka://me:pass@a:1?sasl=plain",
          "kafka://me:pass@a:1?sasl=OAUTHBEARER", "kafka://me:pass@a:1?oauth-url=https://x"})
        EXPECT_NE(why_not(url), "") << url;
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
