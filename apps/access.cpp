#include "apps/access.hpp"

// The command `trackops access`, which writes the access file.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/access_settings.hpp"
#include "apps/read_password.hpp"
#include "platform/access/edit_access.hpp"
#include "platform/access/file_version.hpp"
#include "platform/access/password.hpp"
#include "platform/config/help.hpp"
#include "platform/config/settings.hpp"
#include "platform/json/writer.hpp"
#include "platform/runtime/system_clock.hpp"

namespace trackops::apps {
namespace {

using access::AccessFile;
using config::Kind;

constexpr std::int64_t minute = 60L * 1000;  // milliseconds
constexpr std::int64_t day = 24 * 60 * minute;

constexpr config::Setting file_setting{"access-file", Kind::text, "",
                                       "The access file, also as TRACKOPS_ACCESS_FILE. Required."};
constexpr config::Setting help_setting{"help", Kind::flag, "false", "Print this and stop."};
constexpr config::Setting key_name{
    "name", Kind::text, "",
    "Name of the program that uses the key, such as shop. Several keys may have one name."};
constexpr config::Setting valid_for{
    "valid-for", Kind::duration, "365d", "How long the new key is valid.", minute, 3650 * day};

constexpr auto add_key_settings = std::to_array<config::Setting>({
    file_setting,
    key_name,
    {"scopes", Kind::text, "", "What the key may do, such as orders:read,orders:write."},
    {"role", Kind::text, "", "The same by a role: viewer, clerk, operator or admin."},
    {"key-file", Kind::text, "",
     "Write the key into this file instead of printing it. If it is there, nothing is done."},
    valid_for,
    help_setting,
});
constexpr auto add_operator_settings = std::to_array<config::Setting>({
    file_setting,
    {"name", Kind::text, "", "Name of the person, such as eva."},
    {"role", Kind::text, "", "viewer, clerk, operator or admin."},
    {"replace", Kind::flag, "false", "Give a present operator another password and role."},
    help_setting,
});
constexpr auto rotate_settings = std::to_array<config::Setting>({
    file_setting,
    key_name,
    {"overlap", Kind::duration, "24h",
     "How long the present keys of the name stay valid beside the new one.", 0, 3650 * day},
    valid_for,
    help_setting,
});
constexpr auto revoke_settings = std::to_array<config::Setting>({
    file_setting,
    {"key", Kind::text, "", "Name of a program: all of its keys."},
    {"id", Kind::text, "", "Id of one key: the eight characters after trk_."},
    {"operator", Kind::text, "", "Name of an operator."},
    help_setting,
});
constexpr auto list_settings = std::to_array<config::Setting>({
    file_setting,
    {"json", Kind::flag, "false", "Print JSON."},
    help_setting,
});

// A mistake in the arguments.
struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

const std::string& required(const config::Values& values, std::string_view name) {
    const std::string& text = values.text(name);
    if (text.empty()) throw UsageError(fmt::format("--{} is missing", name));
    return text;
}

template <class T>
T value_or_usage_error(Result<T> result) {
    if (!result) throw UsageError(result.error().detail);
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

access::Role role_of(const config::Values& values) {
    const auto role = access::role_named(required(values, "role"));
    if (!role)
        throw UsageError(fmt::format("'{}' is no role; the roles are {}", values.text("role"),
                                     access::all_role_names()));
    return *role;
}

// The access file between its reading and its writing; nobody else changes it meanwhile.
class OpenFile {
public:
    enum class Missing : bool { refused, made };
    OpenFile(const std::string& path, Missing missing) : path_(path), lock_(path) {
        if (missing == Missing::made && !std::filesystem::exists(path)) return;
        const auto version = access::read_version(path);
        const auto read = version ? access::read_access_file(version->text)
                                  : Result<AccessFile>(std::unexpected(version.error()));
        if (!read)
            throw std::runtime_error(fmt::format("{} {}", path, access::faults_of(read.error())));
        content = *read;
    }
    void save() const { access::replace_file(path_, access::text_of(content)); }

    AccessFile content;

private:
    const std::string path_;
    const access::FileLock lock_;
};

access::Lifetime lifetime(const config::Values& values) {
    const Instant now = runtime::SystemClock().now();
    return {now, now + values.duration("valid-for")};
}

std::string time_text(Instant at) { return at.text().substr(0, 19) + 'Z'; }

// The key goes to the standard output alone, so that a script can take it.
void print_key(const std::string& name, const access::NewKey& key, Instant until) {
    fmt::print(stderr, "key {} of {}, valid until {}; it is shown this once:\n", key.id, name,
               time_text(until));
    fmt::print("{}\n", key.text.reveal());
}

void print_when() {
    fmt::print(
        stderr,
        "Services take the change within a second of the file's change on their host. A copy "
        "elsewhere, such as a mounted secret, is as old as its last update.\n");
}

int add_key(const config::Values& values) {
    const std::string& name = required(values, "name");
    if (values.text("scopes").empty() == values.text("role").empty())
        throw UsageError("give either --scopes or --role");
    const http::Scopes scopes =
        values.text("role").empty()
            ? value_or_usage_error(access::parse_scopes(values.text("scopes")))
            : access::scopes_of(role_of(values));
    const access::Lifetime when = lifetime(values);
    const std::string& key_file = values.text("key-file");
    OpenFile file(required(values, "access-file"), OpenFile::Missing::made);
    if (!key_file.empty() && std::filesystem::exists(key_file)) {
        fmt::print(stderr, "there is a key in {} already\n", key_file);
        return 0;
    }
    const auto key = value_or_usage_error(access::add_key(file.content, name, scopes, when));
    file.save();
    if (key_file.empty()) {
        print_key(name, key, when.until);
    } else {
        access::replace_file(key_file, key.text.reveal() + '\n');
    }
    return 0;
}

int add_operator(const config::Values& values) {
    access::Operator added{.name = required(values, "name"), .role = role_of(values)};
    const std::string& path = required(values, "access-file");
    if (!access::is_name(added.name)) throw UsageError("--name is no name");
    const Secret password = value_or_usage_error(read_new_password());
    added.password_hash = access::hash_password(password);
    OpenFile file(path, OpenFile::Missing::made);
    const std::string name = added.name;
    const auto done = access::add_operator(file.content, std::move(added), values.flag("replace"));
    if (!done) throw std::runtime_error(done.error().detail + "; --replace changes it");
    file.save();
    fmt::print(stderr, "operator {} is in the file\n", name);
    return 0;
}

int rotate(const config::Values& values) {
    const std::string& name = required(values, "name");
    const access::Lifetime when = lifetime(values);
    OpenFile file(required(values, "access-file"), OpenFile::Missing::refused);
    const auto key =
        access::rotate_key(file.content, name, when, when.from + values.duration("overlap"));
    if (!key) throw std::runtime_error(key.error().detail);
    file.save();
    fmt::print(stderr, "the keys before it end at {} or sooner\n",
               time_text(when.from + values.duration("overlap")));
    print_key(name, *key, when.until);
    return 0;
}

int revoke(const config::Values& values) {
    struct Way {
        std::string_view setting;
        std::size_t (*revoke)(AccessFile&, std::string_view);
    };
    constexpr auto ways = std::to_array<Way>({{"key", access::revoke_keys},
                                              {"id", access::revoke_key},
                                              {"operator", access::revoke_operator}});
    const Way* wanted = nullptr;
    for (const Way& way : ways) {
        if (values.text(way.setting).empty()) continue;
        if (wanted) throw UsageError("give one of --key, --id and --operator");
        wanted = &way;
    }
    if (!wanted) throw UsageError("give --key, --id or --operator");
    OpenFile file(required(values, "access-file"), OpenFile::Missing::refused);
    const std::size_t count = wanted->revoke(file.content, values.text(wanted->setting));
    if (count == 0)
        throw std::runtime_error(fmt::format("the file has nothing with the {} '{}'",
                                             wanted->setting == "id" ? "id" : "name",
                                             values.text(wanted->setting)));
    file.save();
    fmt::print(stderr, "revoked: {}\n", count);
    print_when();
    return 0;
}

std::string_view state_of(const access::Key& key, Instant now) {
    if (now < key.not_before) return "not yet";
    return now < key.not_after ? "valid" : "ended";
}

void print_json(const AccessFile& content, Instant now) {
    std::string text;
    json::Writer out(text);
    out.begin_object().name("keys").begin_array();
    for (const access::Key& key : content.keys) {
        out.begin_object().member("name", key.name).member("id", key.id).name("scopes");
        out.begin_array();
        for (const std::string_view scope : access::names_of(key.scopes)) out.value(scope);
        out.end_array().member("notBefore", key.not_before).member("notAfter", key.not_after);
        out.member("state", state_of(key, now)).end_object();
    }
    out.end_array().name("operators").begin_array();
    for (const access::Operator& one : content.operators)
        out.begin_object().member("name", one.name).member("role", name_of(one.role)).end_object();
    out.end_array().end_object();
    fmt::print("{}\n", text);
}

int list(const config::Values& values) {
    const OpenFile file(required(values, "access-file"), OpenFile::Missing::refused);
    const Instant now = runtime::SystemClock().now();
    if (values.flag("json")) {
        print_json(file.content, now);
        return 0;
    }
    for (const access::Key& key : file.content.keys)
        fmt::print("key       {:<20} {} {:<8} until {}  {}\n", key.name, key.id, state_of(key, now),
                   time_text(key.not_after), fmt::join(access::names_of(key.scopes), ","));
    for (const access::Operator& one : file.content.operators)
        fmt::print("operator  {:<20} {}\n", one.name, name_of(one.role));
    return 0;
}

struct Command {
    std::string_view name;
    std::string_view about;
    std::span<const config::Setting> settings;
    int (*run)(const config::Values& values);
};
constexpr auto commands = std::to_array<Command>({
    {"add-key", "makes a key for a program and prints it", add_key_settings, add_key},
    {"add-operator", "adds a person; reads the password from the terminal or one line of input",
     add_operator_settings, add_operator},
    {"rotate", "makes a new key of a name; the present ones end a while later", rotate_settings,
     rotate},
    {"revoke", "removes keys or an operator at once", revoke_settings, revoke},
    {"list", "prints the keys and operators, without anything secret", list_settings, list},
});

std::string usage() {
    std::string text =
        "trackops access COMMAND [settings]\n"
        "Changes the file that says who may call the services (their --access-file). It is "
        "written\n"
        "with mode 0600 and holds no secret in clear: of keys the SHA-256, of passwords "
        "argon2id.\n\n";
    for (const Command& command : commands)
        text += fmt::format("  trackops access {:<14}{}\n", command.name, command.about);
    return text + fmt::format("\nScopes: {}\nRoles: {}\n", access::all_scope_names(),
                              access::all_role_names());
}

int run(const Command& command, std::span<const std::string> arguments,
        std::span<const std::string> environment) {
    // The settings of a service in the environment are not meant for this command.
    std::vector<std::string> variables;
    std::ranges::copy_if(environment, std::back_inserter(variables), [](const auto& variable) {
        return variable.starts_with("TRACKOPS_ACCESS_FILE=");
    });
    const auto print_error = [&](int exit_code, std::string_view text) {
        fmt::print(stderr, "trackops access {}: {}\n", command.name, text);
        return exit_code;
    };
    const auto values = config::read(command.settings, arguments, variables);
    if (!values) return print_error(2, values.error().detail);
    if (values->flag("help")) {
        fmt::print("trackops access {}: {}\n\n{}", command.name, command.about,
                   config::help(command.settings));
        return 0;
    }
    try {
        return command.run(*values);
    } catch (const UsageError& error) {
        return print_error(2, error.what());
    } catch (const std::exception& error) {
        return print_error(1, error.what());
    }
}

}  // namespace

int access(std::span<const std::string> arguments, std::span<const std::string> environment) {
    if (!arguments.empty()) {
        const auto* const found = std::ranges::find(commands, arguments.front(), &Command::name);
        if (found != commands.end()) return run(*found, arguments.subspan(1), environment);
        if (arguments.front() == "--help") {
            fmt::print("{}", usage());
            return 0;
        }
    }
    fmt::print(stderr, "{}", usage());
    return 2;
}

}  // namespace trackops::apps
