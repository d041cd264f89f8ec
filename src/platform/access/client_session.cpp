#include "platform/access/client_session.hpp"

#include <algorithm>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

#include "platform/access/digest.hpp"
#include "platform/access/file_version.hpp"
#include "platform/access/session_cookie.hpp"
#include "platform/json/object_reader.hpp"
#include "platform/json/writer.hpp"

namespace trackops::access {
namespace {

namespace fs = std::filesystem;

constexpr fs::perms of_the_owner = fs::perms::owner_all;
constexpr fs::perms of_others = fs::perms::group_all | fs::perms::others_all;

std::string_view variable(std::span<const std::string> environment, std::string_view name) {
    for (const std::string& one : environment) {
        std::string_view text = one;
        if (text.starts_with(name) && text.substr(name.size()).starts_with('='))
            return text.substr(name.size() + 1);
    }
    return {};
}

bool is_cookie_name(std::string_view name) {
    return name == session_cookie_name(true) || name == session_cookie_name(false);
}

bool is_session_id(std::string_view id) { return parse_digest(id).has_value(); }

std::string text_of(const ClientSession& session) {
    std::string text;
    json::Writer(text)
        .begin_object()
        .member("server", session.server.url())
        .member("operator", session.operator_name)
        .member("cookieName", session.cookie_name)
        .member("id", session.id.reveal())
        .member("endsAt", session.ends_at)
        .end_object();
    return text + '\n';
}

Result<ClientSession> parse(std::string_view text, const http_client::Server& server) {
    return json::read_object(text, [&](json::ObjectReader& in) {
        ClientSession session{.server = server};
        if (in.text("server", {}) != server.url())
            in.fault("server", "is not the server of this file", "format");
        session.operator_name = in.text("operator", {});
        session.cookie_name = in.text(
            "cookieName", {.is_valid = is_cookie_name, .expected = "must be a name of ours"});
        session.id =
            Secret(in.text("id", {.is_valid = is_session_id, .expected = "must be an id"}));
        const auto ends_at = Instant::parse(in.text("endsAt", {}));
        if (!ends_at) in.fault("endsAt", "must be a time", "format");
        session.ends_at = ends_at.value_or(Instant{});
        return session;
    });
}

}  // namespace

Result<fs::path> session_folder(std::span<const std::string> environment) {
    fs::path base(variable(environment, "XDG_CONFIG_HOME"));
    if (!base.is_absolute()) {  // the specification ignores a relative one
        const fs::path home(variable(environment, "HOME"));
        if (!home.is_absolute())
            return fail(Errc::invalid, "neither XDG_CONFIG_HOME nor HOME names a folder");
        base = home / ".config";
    }
    return base / "trackops" / "sessions";
}

fs::path session_path(const fs::path& folder, const http_client::Server& server) {
    return folder / fmt::format("{}_{}_{}.json", server.has_tls ? "https" : "http", server.host,
                                server.port);
}

Result<std::optional<ClientSession>> read_client_session(const fs::path& folder,
                                                         const http_client::Server& server) {
    const fs::path path = session_path(folder, server);
    std::error_code fault;
    const fs::file_status status = fs::status(path, fault);
    if (status.type() == fs::file_type::not_found) return std::nullopt;
    if ((status.permissions() & of_others) != fs::perms::none)
        return fail(
            Errc::invalid,
            fmt::format("{} may be read by others: remove it and log in anew", path.string()));
    auto version = read_version(path);
    const Secret text(version ? std::move(version->text) : std::string());
    auto session = parse(text.reveal(), server);
    if (!session)
        return fail(Errc::invalid,
                    fmt::format("{} holds no session: remove it and log in anew", path.string()));
    return std::optional(*std::move(session));
}

void write_client_session(const fs::path& folder, const ClientSession& session) {
    std::error_code fault;
    fs::create_directories(folder.parent_path(), fault);
    if (!fault && fs::create_directory(folder, fault)) fs::permissions(folder, of_the_owner, fault);
    if (fault) throw std::runtime_error(fmt::format("{}: {}", folder.string(), fault.message()));
    const Secret text(text_of(session));
    replace_file(session_path(folder, session.server), text.reveal());
}

void remove_client_session(const fs::path& folder, const http_client::Server& server) {
    const fs::path path = session_path(folder, server);
    std::error_code fault;
    fs::remove(path, fault);
    if (fault) throw std::runtime_error(fmt::format("{}: {}", path.string(), fault.message()));
}

Secret cookie_for(const ClientSession& session, const http_client::Server& to, Instant now) {
    const bool is_same = session.server.has_tls == to.has_tls && session.server.host == to.host;
    if (!is_same || now >= session.ends_at) return {};
    return Secret(fmt::format("{}={}", session.cookie_name, session.id.reveal()));
}

}  // namespace trackops::access
