#include "platform/kafka/target.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "platform/url/url.hpp"

namespace trackops::bus {
namespace {

constexpr url::Form form{.what = "bus URL",
                         .example = "kafka://a.example:9092,b.example:9092?prefix=shop.",
                         .scheme = "kafka"};
constexpr std::size_t prefix_bytes_max = 100;  // a topic's name with its prefix has at most 249
constexpr std::int32_t partitions_max = 10'000;
constexpr std::int32_t replication_max = 100;
constexpr auto of_security =
    std::to_array<std::string_view>({"tls", "ca", "cert", "key", "sasl", "oauth-url"});
constexpr auto files_of_tls = std::to_array<std::pair<std::string_view, const char*>>(
    {{"ca", "ssl.ca.location"}, {"cert", "ssl.certificate.location"}, {"key", "ssl.key.location"}});
constexpr auto mechanisms =
    std::to_array<std::string_view>({"PLAIN", "SCRAM-SHA-512", "OAUTHBEARER"});

// Reads one URL. `refuse` says why it is not taken.
class KafkaUrl {
public:
    explicit KafkaUrl(std::string_view text) : text_(text), url_(url::parse_url(text, form)) {}

    KafkaTarget target(const Options& options) const {
        if (url_.path.size() > 1) refuse("it has a path");
        KafkaTarget target{.servers = servers(), .prefix = {}, .options = options};
        for (const url::Parameter& parameter : url_.parameters) read(parameter, target);
        if (!url_.secret_parameters.empty()) refuse_parameter();
        target.security = security();
        return target;
    }

private:
    [[noreturn]] void refuse(std::string_view why) const { url::refuse(text_, form, why); }
    [[noreturn]] void refuse_parameter() const {
        refuse(
            "it has a parameter that is none of prefix, replication, partitions, tls, ca, cert, "
            "key, sasl, oauth-url");
    }

    std::string servers() const {
        std::string servers;
        for (const url::Host& host : url_.hosts) {
            if (host.name.empty() || !host.port) refuse("each server is HOST:PORT");
            if (!servers.empty()) servers += ',';
            servers += host.text(*host.port);
        }
        return servers;
    }

    void read(const url::Parameter& parameter, KafkaTarget& target) const {
        if (parameter.name == "prefix") {
            require_prefix(parameter.value);
            target.prefix = parameter.value;
        } else if (parameter.name == "replication") {
            target.options.replication = number(parameter, replication_max);
        } else if (parameter.name == "partitions") {
            target.options.partitions = number(parameter, partitions_max);
        } else if (std::ranges::find(of_security, parameter.name) == of_security.end()) {
            refuse_parameter();
        }
    }

    std::string text_of(std::string_view name) const {
        const auto found = std::ranges::find(url_.parameters, name, &url::Parameter::name);
        return found == url_.parameters.end() ? std::string() : found->value;
    }

    std::vector<std::pair<const char*, Secret>> security() const {
        const std::string tls = text_of("tls");
        if (!tls.empty() && tls != "true" && tls != "false") refuse("tls is true or false");
        const bool has_tls = tls == "true";
        std::vector<std::pair<const char*, Secret>> all;
        for (const auto& [name, setting] : files_of_tls) {
            if (text_of(name).empty()) continue;
            if (!has_tls) refuse(fmt::format("{} is given without tls=true", name));
            all.emplace_back(setting, Secret(text_of(name)));
        }
        if (has_tls) all.emplace_back("ssl.endpoint.identification.algorithm", Secret("https"));
        const std::string mechanism = add_login(all);
        if (!has_tls && mechanism.empty()) return all;
        const char* const protocol =
            mechanism.empty() ? "ssl" : (has_tls ? "sasl_ssl" : "sasl_plaintext");
        all.emplace_back("security.protocol", Secret(protocol));
        return all;
    }

    // Returns the mechanism of SASL; "" without one.
    std::string add_login(std::vector<std::pair<const char*, Secret>>& all) const {
        std::string mechanism = text_of("sasl");
        const bool has_user = !url_.user.empty() && url_.password && !url_.password->empty();
        if (mechanism.empty() && (!url_.user.empty() || url_.password)) mechanism = "SCRAM-SHA-512";
        if (mechanism.empty()) return mechanism;
        if (std::ranges::find(mechanisms, mechanism) == mechanisms.end())
            refuse("sasl is PLAIN, SCRAM-SHA-512 or OAUTHBEARER");
        if (!has_user) refuse("SASL needs a user and a password");
        all.emplace_back("sasl.mechanism", Secret(mechanism));
        const bool has_tokens = mechanism == "OAUTHBEARER";
        if (has_tokens == text_of("oauth-url").empty())
            refuse("oauth-url belongs to sasl=OAUTHBEARER, which needs it");
        if (has_tokens) {
            all.emplace_back("sasl.oauthbearer.method", Secret("oidc"));
            all.emplace_back("sasl.oauthbearer.token.endpoint.url", Secret(text_of("oauth-url")));
        }
        all.emplace_back(has_tokens ? "sasl.oauthbearer.client.id" : "sasl.username",
                         Secret(url_.user));
        all.emplace_back(has_tokens ? "sasl.oauthbearer.client.secret" : "sasl.password",
                         *url_.password);
        return mechanism;
    }

    std::int32_t number(const url::Parameter& parameter, std::int32_t max) const {
        const std::string& text = parameter.value;
        std::int32_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > max)
            refuse(fmt::format("{} is a number from 1 to {}", parameter.name, max));
        return value;
    }

    void require_prefix(std::string_view prefix) const {
        const auto is_legal = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '.' || c == '_' || c == '-';
        };
        if (prefix.size() > prefix_bytes_max || !std::ranges::all_of(prefix, is_legal))
            refuse("prefix may have letters, digits, '.', '_' and '-', 100 at most");
    }

    std::string_view text_;
    url::Url url_;
};

}  // namespace

KafkaTarget parse_kafka_url(std::string_view text, const Options& options) {
    return KafkaUrl(text).target(options);
}

std::size_t topic_message_bytes_max(const Options& options) {
    constexpr std::size_t kafka_default = 1'048'588;
    constexpr std::size_t overhead_max = 65'536;  // of a record batch, with thousands of headers
    return std::max(kafka_default, options.message_bytes_max) + overhead_max;
}

}  // namespace trackops::bus
