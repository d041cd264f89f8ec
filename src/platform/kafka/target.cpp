#include "platform/kafka/target.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

namespace trackops::bus {
namespace {

constexpr std::string_view scheme = "kafka://";
constexpr std::size_t prefix_bytes_max = 100;  // a topic's name with its prefix has at most 249
constexpr std::int32_t partitions_max = 10'000;
constexpr std::int32_t replication_max = 100;

[[noreturn]] void refuse(std::string_view why) {
    throw std::invalid_argument(fmt::format("the kafka URL cannot be read: {}", why));
}

// Cuts the text before `separator` off `rest`.
std::string_view cut(std::string_view& rest, char separator) {
    const std::size_t end = rest.find(separator);
    const std::string_view piece = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return piece;
}

std::int32_t number(std::string_view name, std::string_view text, std::int32_t max) {
    std::int32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > max) {
        refuse(fmt::format("{} is a number from 1 to {}", name, max));
    }
    return value;
}

void require_server(std::string_view server) {
    const std::size_t colon = server.rfind(':');
    if (colon == std::string_view::npos || colon == 0) refuse("each server is HOST:PORT");
    constexpr std::int32_t port_max = 65'535;
    number("a port", server.substr(colon + 1), port_max);
    const auto is_legal = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-' || c == ':' || c == '[' || c == ']';
    };
    if (!std::ranges::all_of(server.substr(0, colon), is_legal)) refuse("a host is no host name");
}

void require_prefix(std::string_view prefix) {
    const auto is_legal = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    if (prefix.size() > prefix_bytes_max || !std::ranges::all_of(prefix, is_legal)) {
        refuse("prefix may have letters, digits, '.', '_' and '-', 100 at most");
    }
}

}  // namespace

KafkaTarget parse_kafka_url(std::string_view url, const Options& options) {
    if (!url.starts_with(scheme)) refuse("it does not start with kafka://");
    url.remove_prefix(scheme.size());
    KafkaTarget target{.servers = {}, .prefix = {}, .options = options};
    std::string_view servers = cut(url, '?');
    if (servers.ends_with('/')) servers.remove_suffix(1);
    if (servers.find('@') != std::string_view::npos) {
        refuse("it has a user or password; brokers that ask for one are not supported");
    }
    target.servers = servers;
    if (servers.empty() || servers.ends_with(',')) refuse("each server is HOST:PORT");
    while (!servers.empty()) require_server(cut(servers, ','));
    while (!url.empty()) {
        std::string_view value = cut(url, '&');
        const std::string_view name = cut(value, '=');
        if (name == "prefix") {
            require_prefix(value);
            target.prefix = value;
        } else if (name == "replication") {
            target.options.replication = number(name, value, replication_max);
        } else if (name == "partitions") {
            target.options.partitions = number(name, value, partitions_max);
        } else {
            refuse("it has a setting that is none of prefix, replication, partitions");
        }
    }
    return target;
}

std::size_t topic_message_bytes_max(const Options& options) {
    constexpr std::size_t kafka_default = 1'048'588;
    constexpr std::size_t overhead_max = 65'536;  // of a record batch, with thousands of headers
    return std::max(kafka_default, options.message_bytes_max) + overhead_max;
}

}  // namespace trackops::bus
