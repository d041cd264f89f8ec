// Fuzzes URLs of servers: no text that people may see contains a password.
#include <stdexcept>
#include <string>

#include "fuzz/promise.hpp"
#include "platform/backends/open_bus.hpp"
#include "platform/backends/open_cache.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/bus/bus.hpp"
#include "platform/cache/cache.hpp"
#include "platform/kafka/target.hpp"
#include "platform/postgres/target.hpp"
#include "platform/redis/target.hpp"
#include "platform/sql/database.hpp"
#include "platform/telemetry/metrics.hpp"
#include "platform/url/mask.hpp"
#include "testing/fakes.hpp"

namespace trackops::fuzz {
namespace {

constexpr std::string_view secret = "hunter2x";
constexpr std::string_view schemes[] = {
    "postgres://", "postgresql://", "jdbc:postgresql://", "kafka://", "redis://", "rediss://", "",
    "https://",    "postgres:/"};

void show(std::string_view text) {
    promise(text.find(secret) == std::string_view::npos, "no password is shown");
}

// Returns what `parse` makes, or nothing if it refuses. A refusal may be shown to people, so it is
// checked.
template <class Parse>
auto parsed(Parse parse) -> std::optional<decltype(parse())> {
    try {
        return parse();
    } catch (const std::invalid_argument& refusal) {
        promise(!std::string_view(refusal.what()).empty(), "a refusal says why");
        show(refusal.what());
        return std::nullopt;
    }
}

void check_kafka(const std::string& url) {
    const auto target = parsed([&] { return bus::parse_kafka_url(url, {}); });
    if (!target) return;
    promise(!target->servers.empty() && target->prefix.size() <= 100, "a broker has servers");
    promise(target->options.partitions >= 1 && target->options.partitions <= 10'000,
            "partitions are within their bounds");
    const auto again =
        parsed([&] { return bus::parse_kafka_url("kafka://" + target->servers, {}); });
    promise(again && again->servers == target->servers, "servers can be read again");
}

void check_redis(const std::string& url) {
    const auto target = parsed([&] { return cache::parse_redis_target(url); });
    if (!target) return;
    show(target->description());
    promise(!target->host.empty() && target->port != 0, "a cache has an address");
    const auto again = parsed([&] { return cache::parse_redis_target(target->description()); });
    promise(again && again->host == target->host && again->port == target->port &&
                again->database == target->database,
            "a description names the same cache");
}

void check_postgres(const std::string& url) {
    const auto target = parsed([&] { return sql::postgres::parse_target(url, {}); });
    if (!target) return;
    show(target->description);
    for (const auto& [name, value] : target->settings) show(value);
}

// A URL of an unknown scheme is refused before anything is opened.
void check_open(const std::string& url) {
    static telemetry::Registry metrics;
    const testing::FakeClock clock;
    for (const std::string_view known : {"postgres://", "postgresql://", "jdbc:", "kafka://",
                                         "redis://", "embedded:", "sqlite:"}) {
        if (url.starts_with(known)) return;
    }
    promise(!parsed([&] { return backends::open_database(url, {}, metrics); }),
            "no database that we know");
    promise(!parsed([&] { return backends::open_bus(url, {}, clock, metrics); }),
            "no bus that we know");
    promise(!parsed([&] { return backends::open_cache(url, {}, clock, metrics); }),
            "no cache that we know");
}

// A file may have any name, also that of the password.
void check_mask(const std::string& url) {
    if (url.starts_with("sqlite:") || url.starts_with("embedded:")) return;
    const std::string masked = url::masked(url);
    show(masked);
    promise(url::masked(masked) == masked, "a masked URL has nothing more to mask");
}

void check(const std::string& url) {
    check_mask(url);
    check_kafka(url);
    // A URL with passwordFile would read the named file.
    if (url.find("passwordFile") == std::string::npos) check_redis(url);
    check_postgres(url);
    check_open(url);
}

}  // namespace
}  // namespace trackops::fuzz

// The input: a scheme, a line with the user, a line with the text after the first letters of the
// password, and the rest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops::fuzz;
    std::string_view rest = text_of(data, size);
    // The password's own text in the input would be no secret.
    if (rest.find(secret) != std::string_view::npos) return 0;
    const std::string scheme(schemes[take_choice(rest, std::size(schemes))]);
    check(scheme + std::string(rest));
    const std::string user(take_line(rest));
    const std::string password = std::string(secret) + std::string(take_line(rest));
    if (user.find_first_of(":/?#@[") != std::string::npos) return 0;
    const std::string before_host = scheme + user + ':' + password + '@' + std::string(rest);
    check(before_host);
    return 0;
}
