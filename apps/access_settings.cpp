#include "apps/access_settings.hpp"

#include "apps/server_urls.hpp"
#include "platform/access/access_store.hpp"
#include "platform/access/caller_finder.hpp"
#include "platform/access/login.hpp"
#include "platform/access/sessions.hpp"
#include "platform/access/tokens.hpp"
#include "platform/backends/open_sessions.hpp"
#include "platform/runtime/pump_threads.hpp"
#include "platform/telemetry/log.hpp"

namespace trackops::apps {

std::string session_url(const config::Values& values, const std::string& without) {
    if (values.text("session-url").empty()) return without;
    return url_with_password(values, "session-url", "session-password");
}

// The members are constructed in this order and destroyed in the reverse.
struct Access::Parts {
    Parts(const std::string& file, const std::string& session_url, access::SessionTimes times,
          runtime::Budget& budget, const Clock& clock, telemetry::Registry& metrics)
        : store(file, clock, metrics),
          session_store(backends::open_sessions(session_url, times, clock, metrics)),
          sessions(*session_store, times, clock),
          logins(store, sessions, *session_store, &budget, metrics),
          tokens(store, clock, metrics),
          finder(store, sessions, tokens),
          threads(metrics) {
        threads.add("access", store);
        threads.add("sessions", sessions);
        threads.add("logins", logins);
        threads.add("token-keys", tokens);
        threads.add("token-urls", tokens.fetcher());
    }
    ~Parts() {
        threads.stop();
        // Nobody answers from here on; the servers have stopped already.
        sessions.close();
        tokens.close();
        logins.close();
    }
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;

    access::AccessStore store;
    std::unique_ptr<access::SessionStore> session_store;
    access::Sessions sessions;
    access::Logins logins;
    access::Tokens tokens;
    access::CallerFinder finder;
    runtime::PumpThreads threads;
};

Access::Access(const config::Values& values, const std::string& session_url,
               runtime::Budget& budget, const Clock& clock, telemetry::Registry& metrics) {
    const std::string& file = values.text("access-file");
    if (file.empty()) {
        telemetry::log(telemetry::Level::info, "access",
                       "there is no access file: every caller may do everything");
        return;
    }
    parts_ = std::make_unique<Parts>(
        file, session_url,
        access::SessionTimes{values.duration("session-idle"), values.duration("session-age")},
        budget, clock, metrics);
}

Access::~Access() = default;

http::Identifier* Access::identifier() { return parts_ ? &parts_->finder : nullptr; }

std::vector<telemetry::Component> Access::components() {
    if (!parts_) return {};
    return {parts_->tokens.health_component()};
}

access::SessionDoor Access::door() {
    if (!parts_) return {};
    return {&parts_->store, &parts_->sessions, &parts_->logins};
}

}  // namespace trackops::apps
