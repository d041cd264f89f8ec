#include "platform/postgres/target.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <libpq-fe.h>

namespace trackops::sql::postgres {
namespace {

struct FreeOptions {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

// libpq quotes parts of the URL, which may contain the password. Only the name of a parameter is
// kept.
std::string without_quotes(std::string message) {
    const bool names_parameter = message.starts_with("invalid URI query parameter");
    const std::size_t quoted = message.find(": \"");
    if (!names_parameter && quoted != std::string::npos) message.resize(quoted);
    while (message.ends_with('\n')) message.pop_back();
    return message;
}

std::map<std::string, std::string> parse(const std::string& url) {
    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, FreeOptions> options(
        PQconninfoParse(url.c_str(), &message));
    const std::unique_ptr<char, decltype(&PQfreemem)> owned(message, &PQfreemem);
    if (!options) {
        throw std::invalid_argument(fmt::format("the postgres URL cannot be read: {}",
                                                without_quotes(message ? message : "")));
    }
    std::map<std::string, std::string> settings;
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr && *option->val != '\0')
            settings.emplace(option->keyword, option->val);
    }
    return settings;
}

std::int64_t milliseconds(Duration duration) {
    return std::chrono::ceil<std::chrono::milliseconds>(duration).count();
}
std::int64_t seconds(Duration duration) {
    return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(duration).count());
}

}  // namespace

Target parse_target(std::string_view url, const Options& options) {
    if (url.find('\0') != std::string_view::npos)
        throw std::invalid_argument("a postgres URL has no NUL");
    if (url.starts_with("jdbc:postgresql://")) url.remove_prefix(5);
    // libpq would parse other text as keyword/value pairs and quote it in its error.
    if (!url.starts_with("postgres://") && !url.starts_with("postgresql://"))
        throw std::invalid_argument("a postgres URL begins with postgres:// or postgresql://");
    auto settings = parse(std::string(url));
    const auto text_of = [&settings](const char* name, const char* otherwise) {
        const auto found = settings.find(name);
        return found == settings.end() ? std::string(otherwise) : found->second;
    };
    // A port that is not a number may be part of a password with an unencoded "/".
    if (text_of("port", "").find_first_not_of("0123456789,") != std::string::npos)
        throw std::invalid_argument("the postgres URL cannot be read: its port is no number");
    Target target;
    const std::string user = text_of("user", "");
    target.database = text_of("dbname", user.c_str());
    target.description = fmt::format("postgres://{}:{}/{}", text_of("host", "localhost"),
                                     text_of("port", "5432"), target.database);

    settings.emplace("application_name", "trackops");
    settings["client_encoding"] = "UTF8";
    // A session keeps the plan of a statement until Connection::replan_when_due() discards it. Its
    // tables may have grown from tiny to large by then, so plans may only use index lookups. Where
    // no index fits, PostgreSQL scans anyway.
    settings["options"] = fmt::format(
        "{} -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_mergejoin=off "
        "-c enable_hashjoin=off -c jit=off -c TimeZone=UTC -c statement_timeout={} -c "
        "lock_timeout={} -c "
        "idle_in_transaction_session_timeout={}",
        text_of("options", ""), milliseconds(options.statement_timeout),
        milliseconds(options.lock_timeout), milliseconds(options.idle_in_transaction_timeout));
    settings["tcp_user_timeout"] = fmt::format("{}", milliseconds(options.tcp_user_timeout));
    settings["keepalives"] = "1";
    settings["keepalives_idle"] = fmt::format("{}", seconds(options.tcp_user_timeout));
    settings["keepalives_interval"] = "1";
    settings["keepalives_count"] = "3";
    target.settings.assign(settings.begin(), settings.end());
    return target;
}

}  // namespace trackops::sql::postgres
