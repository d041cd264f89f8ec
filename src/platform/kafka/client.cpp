#include "platform/kafka/client.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <limits>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <syslog.h>

#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::bus {
namespace {

std::string name_of(KafkaRole role) {
    switch (role) {
        case KafkaRole::producer:
            return "producer";
        case KafkaRole::consumer:
            return "consumer";
        case KafkaRole::control:
            return "control";
    }
    return "";
}

telemetry::Level level_of(int syslog_level) {
    if (syslog_level <= LOG_ERR) return telemetry::Level::error;
    if (syslog_level == LOG_WARNING) return telemetry::Level::warn;
    return syslog_level == LOG_DEBUG ? telemetry::Level::debug : telemetry::Level::info;
}

// librdkafka's threads call it, for example when a broker is away or refuses a connection.
void write_log(const rd_kafka_t* client, int level, const char* facility, const char* text) {
    if (level <= LOG_WARNING && client != nullptr) {
        KafkaClient::count_error(rd_kafka_opaque(client));
    }
    telemetry::log(level_of(level), "bus", text, {{"librdkafka", facility}});
}

using Conf = std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)>;

}  // namespace

KafkaClient::KafkaClient(KafkaRole role, const KafkaSettings& settings,
                         telemetry::Registry& metrics, void* owner,
                         const std::function<void(rd_kafka_conf_s*)>& callbacks)
    : context_(new Context{owner, metrics.counter("trackops_bus_client_errors_total",
                                                  "Warnings and errors in librdkafka's log",
                                                  {{"role", name_of(role)}})}) {
    Conf conf(rd_kafka_conf_new(), &rd_kafka_conf_destroy);
    std::array<char, 512> why{};
    for (const auto& [name, value] : settings) {
        if (rd_kafka_conf_set(conf.get(), name, value.c_str(), why.data(), why.size()) !=
            RD_KAFKA_CONF_OK) {
            throw std::invalid_argument(fmt::format("bus: kafka {}: {}", name, why.data()));
        }
    }
    rd_kafka_conf_set_opaque(conf.get(), context_.get());
    rd_kafka_conf_set_log_cb(conf.get(), &write_log);
    if (callbacks) callbacks(conf.get());
    const auto type = role == KafkaRole::producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
    client_ = rd_kafka_new(type, conf.get(), why.data(), why.size());
    if (client_ == nullptr) {
        throw std::invalid_argument(fmt::format("bus: kafka {}: {}", name_of(role), why.data()));
    }
    [[maybe_unused]] auto* const taken = conf.release();  // the client owns it now
}

// librdkafka 2.0 has several ways of never ending a consumer (its issue 4528 is one); then it joins
// its own thread for ever. A program that must stop must not wait for that.
KafkaClient::~KafkaClient() {
    std::promise<void> end;
    auto has_ended = end.get_future();
    std::thread ending([client = client_, end = std::move(end)]() mutable {
        rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        end.set_value();
    });
    if (has_ended.wait_for(end_wait_max) == std::future_status::ready) {
        ending.join();
        return;
    }
    ending.detach();
    context_->is_abandoned = true;
    telemetry::log(telemetry::Level::error, "bus", "a client of Kafka does not end: left behind");
    [[maybe_unused]] const auto* const still_in_use = context_.release();
}

void KafkaClient::count_error(void* opaque) {
    auto& context = *static_cast<Context*>(opaque);
    if (!context.is_abandoned) context.errors.add();
}

void DestroyKafka::operator()(rd_kafka_queue_s* queue) const { rd_kafka_queue_destroy(queue); }
void DestroyKafka::operator()(rd_kafka_topic_partition_list_s* list) const {
    rd_kafka_topic_partition_list_destroy(list);
}

KafkaSettings common_kafka_settings(const KafkaTarget& target) {
    KafkaSettings settings = {
        {"bootstrap.servers", target.servers},
        {"client.id", "trackops"},
        {"socket.nagle.disable", "true"},  // a request would otherwise wait for the last answer
        {"socket.keepalive.enable", "true"},
        {"socket.timeout.ms", "10000"},                  // a broker that hangs
        {"socket.connection.setup.timeout.ms", "5000"},  // a host that swallows packets
        {"reconnect.backoff.ms", "50"},
        {"reconnect.backoff.max.ms", "1000"},  // how late a broker that is back is seen
        {"log.connection.close", "false"},     // brokers close idle connections
    };
    for (const auto& [name, value] : target.security) settings.emplace_back(name, value.reveal());
    return settings;
}

int kafka_ms(Duration wait) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
    return static_cast<int>(std::clamp<std::int64_t>(ms, 0, std::numeric_limits<int>::max()));
}

}  // namespace trackops::bus
