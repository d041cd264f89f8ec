// The settings that say who may call, and what keeps to them while a program runs.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platform/access/session_routes.hpp"
#include "platform/config/settings.hpp"
#include "platform/telemetry/health.hpp"

namespace trackops {
class Clock;
}
namespace trackops::access {
class CallerFinder;
class SessionStore;
}  // namespace trackops::access
namespace trackops::http {
class Identifier;
}
namespace trackops::runtime {
class Budget;
class PumpThreads;
}  // namespace trackops::runtime
namespace trackops::telemetry {
class Registry;
}

namespace trackops::apps {

inline constexpr auto access_settings = std::to_array<config::Setting>({
    {"access-file", config::Kind::text, "",
     "File with the keys and operators that may call, made by `trackops access`; read again when "
     "it changes. Without one every caller may do everything."},
    {"session-idle", config::Kind::duration, "30m",
     "An operator's session without a request ends after that long.", 1000, 24L * 3600 * 1000},
    {"session-age", config::Kind::duration, "12h",
     "An operator's session ends after that long, whatever its operator does.", 1000,
     7L * 24 * 3600 * 1000},
});

// The settings of a program that shares the sessions with others.
inline constexpr config::Setting session_url_setting{
    .name = "session-url",
    .kind = config::Kind::text,
    .default_value = "",
    .help =
        "redis://HOST:PORT with the sessions of operators, the same for all services; default: "
        "cache-url where there is one, else embedded:, which knows none of the other services.",
    .secret = true};

// Returns the URL of that setting with its password; `without` when it is not given.
std::string session_url(const config::Values& values, const std::string& without);

// The access file of a program.
class Access {
public:
    // Reads the file that the settings name, and looks at it again and again on a thread of its
    // own. The sessions are where `session_url` says (backends::open_sessions()). `budget`, `clock`
    // and `metrics` outlive this. Throws std::runtime_error with every fault of the file.
    Access(const config::Values& values, const std::string& session_url, runtime::Budget& budget,
           const Clock& clock, telemetry::Registry& metrics);
    ~Access();
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

    // Returns what names the callers; null without an access file. It lives as long as this.
    http::Identifier* identifier();
    // Returns the components of the health; none without an access file. They live as long as this.
    std::vector<telemetry::Component> components();
    // Returns what the routes of /api/sessions need; empty without an access file.
    access::SessionDoor door();

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;  // null without an access file
};

// Returns the options of a module whose callers are those of `access`.
template <class Options>
Options with_access(Options options, Access& access) {
    options.edge.identifier = access.identifier();
    options.management.components = access.components();
    if constexpr (requires { options.sessions; }) options.sessions = access.door();
    return options;
}

}  // namespace trackops::apps
