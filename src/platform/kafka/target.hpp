// The broker that a kafka:// URL names.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.hpp"
#include "platform/bus/bus.hpp"

namespace trackops::bus {

struct KafkaTarget {
    std::string servers;  // host:port,host:port
    std::string prefix;   // of every topic and group on the broker; callers never see it
    Options options;      // with the overrides of the URL
    // librdkafka's settings of TLS and SASL
    std::vector<std::pair<const char*, Secret>> security = {};
};

// kafka://[USER:PASSWORD@]HOST:PORT[,HOST:PORT...][?NAME=VALUE&...]. Throws std::invalid_argument
// that says what is wrong, without a password. The parameters:
// - prefix, replication, partitions: see KafkaTarget
// - tls=true: TLS; chain and name of the broker's certificate are checked. ca=FILE: the authorities
//   (default: those of the system); cert=FILE and key=FILE: the own certificate
// - sasl: PLAIN, SCRAM-SHA-512 (the default with a user) or OAUTHBEARER, whose tokens come from
//   oauth-url=URL for the client id USER with the secret PASSWORD
KafkaTarget parse_kafka_url(std::string_view url, const Options& options);

// Returns max.message.bytes of topics: the size of the largest message plus Kafka's overhead, and
// at least Kafka's default, which batches may fill.
std::size_t topic_message_bytes_max(const Options& options);

}  // namespace trackops::bus
