#include "apps/login.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "apps/read_password.hpp"
#include "platform/access/client_session.hpp"
#include "platform/config/help.hpp"
#include "platform/config/own_variables.hpp"
#include "platform/config/settings.hpp"
#include "platform/http_client/call.hpp"
#include "platform/json/reader.hpp"
#include "platform/json/writer.hpp"
#include "platform/runtime/system_clock.hpp"

namespace trackops::apps {
namespace {

using access::ClientSession;
using config::Kind;

constexpr auto call_time_max = std::chrono::seconds(30);

constexpr config::Setting server_setting{
    "server", Kind::text, "http://127.0.0.1:8080",
    "Where the order service answers. http:// is for this machine alone."};
constexpr config::Setting ca_setting{
    "ca-file", Kind::text, "",
    "File with the CAs (PEM) of an https URL; default: those of the system."};
constexpr config::Setting help_setting{"help", Kind::flag, "false", "Print this and stop."};

constexpr auto login_settings = std::to_array<config::Setting>({
    server_setting,
    {"user", Kind::text, "", "Name of the operator; default: the name of the system's user."},
    {"password-file", Kind::text, "",
     "File whose first line is the password. Without it the terminal asks, or the first line of "
     "the standard input counts."},
    {"plain", Kind::flag, "false",
     "Send the password to another machine without TLS. Everybody on the way can read it."},
    ca_setting,
    help_setting,
});
constexpr auto other_settings =
    std::to_array<config::Setting>({server_setting, ca_setting, help_setting});

// A mistake in the arguments.
struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <class T>
T value_or_usage_error(Result<T> result) {
    if (!result) throw UsageError(result.error().detail);
    return *std::move(result);
}

// The state that each of these commands works with.
struct Client {
    http_client::Server server;
    http_client::TlsContext context;  // null: no TLS
    std::filesystem::path folder;     // of the session files

    // Throws std::runtime_error if no answer came.
    http_client::Answer send(const http_client::Call& call) const {
        auto answer = http_client::call(server, context, call,
                                        std::chrono::steady_clock::now() + call_time_max);
        if (!answer)
            throw std::runtime_error(fmt::format("{}: {}", server.url(), answer.error().detail));
        return *std::move(answer);
    }
    std::optional<ClientSession> session() const {
        auto read = access::read_client_session(folder, server);
        if (!read) throw std::runtime_error(read.error().detail);
        return *std::move(read);
    }
};

Client client_of(const config::Values& values, std::span<const std::string> environment) {
    Client client;
    client.server =
        value_or_usage_error(http_client::parse_server(values.text("server"), "server URL"));
    if (client.server.has_tls)
        client.context = value_or_usage_error(http_client::trusting(values.text("ca-file")));
    client.folder = value_or_usage_error(access::session_folder(environment));
    return client;
}

std::string text_in(std::string_view body, std::string_view name) {
    const auto document = json::Document::parse(body);
    const auto value = document ? document->root().find(name) : std::nullopt;
    return value && value->text() ? std::string(*value->text()) : std::string();
}

std::int64_t number_in(std::string_view body, std::string_view name) {
    const auto document = json::Document::parse(body);
    const auto value = document ? document->root().find(name) : std::nullopt;
    return value ? value->integer().value_or(0) : 0;
}

// Returns what an answer that is no success says to people.
std::runtime_error refusal(const http_client::Answer& answer) {
    const std::string detail = text_in(answer->body(), "detail");
    return std::runtime_error(
        detail.empty() ? fmt::format("the server answered {}", answer->status()) : detail);
}

http_client::Call with_cookie(std::string_view method, const ClientSession& session) {
    return {.method = method,
            .path = "/api/sessions/current",
            .headers = {{"Cookie", access::cookie_for(session, session.server, Instant{})}}};
}

std::string name_of_user(const config::Values& values, std::span<const std::string> environment) {
    std::string name = values.text("user");
    for (const std::string& variable : environment) {
        if (name.empty() && variable.starts_with("USER=")) name = variable.substr(5);
    }
    if (name.empty()) throw UsageError("give the name of the operator: --user NAME");
    return name;
}

http_client::Call login_call(const std::string& user, const Secret& password) {
    std::string body;
    json::Writer(body)
        .begin_object()
        .member("name", user)
        .member("password", password.reveal())
        .end_object();
    return {.method = "POST",
            .path = "/api/sessions",
            .headers = {{"Content-Type", Secret("application/json")}},
            .body = Secret(std::move(body))};
}

// Returns the session of the answer to a login. Throws if that is not one of ours.
ClientSession session_of(const http_client::Answer& answer, const http_client::Server& server) {
    ClientSession session{.server = server};
    const std::string_view cookie = answer->header("Set-Cookie").value_or("");
    const std::size_t equals = cookie.find('=');
    const std::size_t end = std::min(cookie.find(';'), cookie.size());
    if (equals >= end) throw std::runtime_error("the answer has no session");
    session.cookie_name = cookie.substr(0, equals);
    session.id = Secret(std::string(cookie.substr(equals + 1, end - equals - 1)));
    session.operator_name = text_in(answer->body(), "operator");
    session.ends_at = runtime::SystemClock().now() +
                      std::chrono::seconds(number_in(answer->body(), "ageSeconds"));
    return session;
}

std::string shown(Instant at) { return at.text().substr(0, 19) + 'Z'; }

int log_in(const config::Values& values, std::span<const std::string> environment) {
    const Client client = client_of(values, environment);
    if (!client.server.has_tls && !client.server.is_loopback() && !values.flag("plain"))
        throw UsageError(
            "a password goes to another machine over https alone; --plain sends it in the open");
    const std::string user = name_of_user(values, environment);
    const Secret password = value_or_usage_error(
        read_password(values.text("password-file"), fmt::format("Password of {}: ", user)));
    const auto former = access::read_client_session(client.folder, client.server);
    const auto answer = client.send(login_call(user, password));
    if (answer->status() != 201) throw refusal(answer);
    const ClientSession session = session_of(answer, client.server);
    access::write_client_session(client.folder, session);
    fmt::print("logged in to {} as {} ({}) until {}\n", client.server.url(), session.operator_name,
               text_in(answer->body(), "role"), shown(session.ends_at));
    // If that fails, the former session ends by itself.
    if (former && *former)
        (void)http_client::call(client.server, client.context, with_cookie("DELETE", **former),
                                std::chrono::steady_clock::now() + call_time_max);
    return 0;
}

int log_out(const config::Values& values, std::span<const std::string> environment) {
    const Client client = client_of(values, environment);
    const auto session = client.session();
    if (!session) {
        fmt::print("there is no session at {}\n", client.server.url());
        return 0;
    }
    const auto answer = client.send(with_cookie("DELETE", *session));
    // 401: the session was over already.
    if (answer->status() != 204 && answer->status() != 401) throw refusal(answer);
    access::remove_client_session(client.folder, client.server);
    fmt::print("logged out of {}\n", client.server.url());
    return 0;
}

int tell_who(const config::Values& values, std::span<const std::string> environment) {
    const Client client = client_of(values, environment);
    const auto session = client.session();
    if (!session) throw std::runtime_error(fmt::format("no session at {}", client.server.url()));
    const auto answer = client.send(with_cookie("GET", *session));
    if (answer->status() == 401) throw std::runtime_error("the session has ended");
    if (answer->status() != 200) throw refusal(answer);
    fmt::print("{} at {} until {}, without a request until {}\n",
               text_in(answer->body(), "operator"), client.server.url(),
               text_in(answer->body(), "endsAt"), text_in(answer->body(), "idleEndsAt"));
    return 0;
}

struct Command {
    std::string_view name;
    std::string_view about;
    std::span<const config::Setting> settings;
    int (*run)(const config::Values& values, std::span<const std::string> environment);
};

int run(const Command& command, std::span<const std::string> arguments,
        std::span<const std::string> environment) {
    const auto print_error = [&](int exit_code, std::string_view text) {
        fmt::print(stderr, "trackops {}: {}\n", command.name, text);
        return exit_code;
    };
    const auto values = config::read(command.settings, arguments,
                                     config::own_variables(command.settings, environment));
    if (!values) return print_error(2, values.error().detail);
    if (values->flag("help")) {
        fmt::print("trackops {} [settings]\n{}\n\n{}", command.name, command.about,
                   config::help(command.settings));
        return 0;
    }
    try {
        return command.run(*values, environment);
    } catch (const UsageError& error) {
        return print_error(2, error.what());
    } catch (const std::exception& error) {
        return print_error(1, error.what());
    }
}

}  // namespace

int login(std::span<const std::string> arguments, std::span<const std::string> environment) {
    return run({"login",
                "Begins a session of an operator and keeps it in a file below $XDG_CONFIG_HOME\n"
                "(~/.config), which only its owner can read. `trackops load` uses it.",
                login_settings, log_in},
               arguments, environment);
}

int logout(std::span<const std::string> arguments, std::span<const std::string> environment) {
    return run(
        {"logout", "Ends the session at the server and removes its file.", other_settings, log_out},
        arguments, environment);
}

int whoami(std::span<const std::string> arguments, std::span<const std::string> environment) {
    return run({"whoami", "Asks the server whose session this is and when it ends.", other_settings,
                tell_who},
               arguments, environment);
}

}  // namespace trackops::apps
