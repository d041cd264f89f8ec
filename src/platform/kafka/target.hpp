// What a kafka:// URL says.
#pragma once
#include <string>
#include <string_view>

#include "platform/bus/bus.hpp"

namespace trackops::bus {

struct KafkaTarget {
    std::string servers;  // host:port,host:port
    std::string prefix;   // of every topic and group on the broker; callers never see it
    Options options;      // with what the URL says otherwise
};

// kafka://HOST:PORT[,HOST:PORT...][?prefix=P&replication=N&partitions=N]. Throws
// std::invalid_argument naming what is wrong; never quotes the URL, which may hold what is secret.
KafkaTarget parse_kafka_url(std::string_view url, const Options& options);

// max.message.bytes of topics: a message of the largest size with what Kafka adds to it, and never
// less than Kafka's own default, which batches may fill.
std::size_t topic_message_bytes_max(const Options& options);

}  // namespace trackops::bus
