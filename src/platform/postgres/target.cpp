#include "platform/postgres/target.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "platform/url/url.hpp"

namespace trackops::sql::postgres {
namespace {

constexpr url::Form form{.what = "database URL",
                         .example = "postgres://service@db.example:5432/shop",
                         .scheme = "postgres",
                         .other_scheme = "postgresql",
                         .takes_socket_folders = true};

using Settings = std::map<std::string, std::string>;

struct FreeOptions {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

// Returns whether libpq has a connection parameter of this name.
bool is_known(std::string_view name) {
    const auto is_legal = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    if (name.empty() || !std::ranges::all_of(name, is_legal)) return false;
    const std::unique_ptr<PQconninfoOption, FreeOptions> options(
        PQconninfoParse(fmt::format("{}=x", name).c_str(), nullptr));
    return options != nullptr;
}

// JDBC's drivers write ssl=true for what libpq calls sslmode=require.
url::Parameter for_libpq(const url::Parameter& parameter) {
    const bool is_jdbc = parameter.name == "ssl" && parameter.value == "true";
    return is_jdbc ? url::Parameter{"sslmode", "require"} : parameter;
}

void require_known(std::string_view text, std::string_view name) {
    if (is_known(name)) return;
    const bool is_plain = std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    });
    // Other text may be part of a password with an unencoded '&' or '?'.
    url::refuse(text, form,
                is_plain ? fmt::format("libpq has no parameter '{}'", name)
                         : std::string("libpq has no parameter of such a name"));
}

// Returns libpq's lists: one entry for each host, "" for the default port.
void add_hosts(const std::vector<url::Host>& hosts, Settings& settings) {
    std::string names;
    std::string ports;
    for (const url::Host& host : hosts) {
        const std::string_view comma = &host == hosts.data() ? "" : ",";
        names += fmt::format("{}{}", comma, host.name);
        ports += fmt::format("{}{}", comma, host.port ? fmt::to_string(*host.port) : "");
    }
    if (!names.empty()) settings["host"] = names;
    if (!ports.empty()) settings["port"] = ports;
}

Settings settings_of(std::string_view text, const url::Url& url) {
    Settings settings;
    add_hosts(url.hosts, settings);
    if (!url.user.empty()) settings["user"] = url.user;
    if (url.path.size() > 1) settings["dbname"] = url.path.substr(1);
    for (const url::Parameter& given : url.parameters) {
        const url::Parameter parameter = for_libpq(given);
        require_known(text, parameter.name);
        if (!parameter.value.empty()) settings[parameter.name] = parameter.value;
    }
    return settings;
}

std::vector<std::pair<std::string, Secret>> secrets_of(std::string_view text, const url::Url& url) {
    std::vector<std::pair<std::string, Secret>> secrets;
    if (url.password && !url.password->empty()) secrets.emplace_back("password", *url.password);
    for (const url::SecretParameter& parameter : url.secret_parameters) {
        require_known(text, parameter.name);
        if (!parameter.value.empty()) secrets.emplace_back(parameter.name, parameter.value);
    }
    return secrets;
}

// Returns the addresses of libpq's lists `hosts` and `ports` as a URL has them. One port serves all
// hosts.
std::string addresses_of(std::string_view hosts, std::string_view ports) {
    constexpr std::uint16_t default_port = 5432;
    const bool has_one_port = !ports.contains(',');
    std::string out;
    for (;;) {
        const auto comma = hosts.find(',');
        const std::string_view port = ports.substr(0, ports.find(','));
        const std::string host = url::Host{std::string(hosts.substr(0, comma))}.text(default_port);
        // The port is text, because a parameter may have given it.
        out += port.empty() ? host : fmt::format("{}{}", host.substr(0, host.rfind(':') + 1), port);
        if (comma == std::string_view::npos) return out;
        out += ',';
        hosts.remove_prefix(comma + 1);
        if (!has_one_port) ports.remove_prefix(std::min(port.size() + 1, ports.size()));
    }
}

std::int64_t milliseconds(Duration duration) {
    return std::chrono::ceil<std::chrono::milliseconds>(duration).count();
}
std::int64_t seconds(Duration duration) {
    return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(duration).count());
}

}  // namespace

Target parse_target(std::string_view text, const Options& options) {
    std::string_view without_jdbc = text;
    if (text.starts_with("jdbc:postgresql:")) without_jdbc.remove_prefix(5);
    const url::Url url = url::parse_url(without_jdbc, form);
    Settings settings = settings_of(text, url);
    const auto text_of = [&settings](const char* name, std::string_view otherwise) {
        const auto found = settings.find(name);
        return std::string(found == settings.end() ? otherwise : found->second);
    };
    Target target{
        .settings = {}, .secrets = secrets_of(text, url), .database = {}, .description = {}};
    target.database = text_of("dbname", text_of("user", ""));
    target.description = fmt::format(
        "postgres://{}/{}", addresses_of(text_of("host", "localhost"), text_of("port", "")),
        target.database);

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

void ConnectionParameters::add(const char* name, const char* value) {
    names.push_back(name);
    values.push_back(value);
}

ConnectionParameters connection_parameters(const Target& target) {
    ConnectionParameters out;
    for (const auto& [name, value] : target.settings) out.add(name.c_str(), value.c_str());
    for (const auto& [name, secret] : target.secrets)
        out.add(name.c_str(), secret.reveal().c_str());
    return out;
}

}  // namespace trackops::sql::postgres
