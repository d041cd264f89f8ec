// The session of an operator on its own machine: the file in which `trackops login` keeps it for
// the other commands.
#pragma once
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "platform/http_client/call.hpp"

namespace trackops::access {

struct ClientSession {
    http_client::Server server;  // that has made it
    std::string operator_name;
    std::string cookie_name;
    Secret id;        // the value of the cookie
    Instant ends_at;  // in any case; it may end sooner
};

// Returns the folder of the session files: $XDG_CONFIG_HOME/trackops/sessions, or the same below
// $HOME/.config. Errc::invalid if the environment names neither by an absolute path.
Result<std::filesystem::path> session_folder(std::span<const std::string> environment);

// Each server has a file of its own, with mode 0600 in a folder with mode 0700.
std::filesystem::path session_path(const std::filesystem::path& folder,
                                   const http_client::Server& server);

// Returns nothing if there is no file. Returns Errc::invalid, with a text that names the file, if
// others than the owner may read it or it is not one of ours.
Result<std::optional<ClientSession>> read_client_session(const std::filesystem::path& folder,
                                                         const http_client::Server& server);
// Makes the folder, and puts the session in place of a former one. Throws std::runtime_error.
void write_client_session(const std::filesystem::path& folder, const ClientSession& session);
// Removes the file, if there is one. Throws std::runtime_error.
void remove_client_session(const std::filesystem::path& folder, const http_client::Server& server);

// Returns the value of the header Cookie; "" if the session has ended or `to` is another host than
// the one that made it, or is asked in another way. As with every cookie, the port does not count.
Secret cookie_for(const ClientSession& session, const http_client::Server& to, Instant now);

}  // namespace trackops::access
