// The broker that a kafka:// URL names.
#pragma once
#include <string>
#include <string_view>

#include "platform/bus/bus.hpp"

namespace trackops::bus {

struct KafkaTarget {
    std::string servers;  // host:port,host:port
    std::string prefix;   // of every topic and group on the broker; callers never see it
    Options options;      // with the overrides of the URL
};

// kafka://HOST:PORT[,HOST:PORT...][?prefix=P&replication=N&partitions=N]. Throws
// std::invalid_argument that says what is wrong, without a password.
KafkaTarget parse_kafka_url(std::string_view url, const Options& options);

// Returns max.message.bytes of topics: the size of the largest message plus Kafka's overhead, and
// at least Kafka's default, which batches may fill.
std::size_t topic_message_bytes_max(const Options& options);

}  // namespace trackops::bus
