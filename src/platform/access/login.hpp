// Logging in: an operator's name and password become a session. One at a time, because each
// password takes 19 MiB and some milliseconds of a processor.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "platform/access/session_store.hpp"
#include "platform/runtime/combiner.hpp"

namespace trackops {
class Clock;
}
namespace trackops::telemetry {
class Counter;
class Registry;
}  // namespace trackops::telemetry

namespace trackops::access {

class AccessStore;
class Sessions;

struct Login {
    std::string name;
    Secret password;
    std::string from;  // the client's address
    bool is_from_loopback = false;
};
std::size_t bytes_of(const Login& login);

struct LoggedIn {
    Operator who;
    Secret id;  // of the session
};
struct LoginRefusal {
    Error error;
    Duration retry_after = {};  // zero: the error says it
};
using LoginOutcome = std::expected<LoggedIn, LoginRefusal>;

// A pump. Metrics:
// - trackops_logins_total {outcome}: accepted, refused, throttled, unavailable
class Logins final : public runtime::Pump {
public:
    static constexpr std::size_t waiting_max = 16;  // a further login is refused

    // The references outlive this. `budget` pays for the memory of a password; null: not counted.
    Logins(AccessStore& callers, Sessions& sessions, SessionStore& store, runtime::Budget* budget,
           telemetry::Registry& metrics);

    // Never blocks. Returns false, and drops `done`, if too many wait. Outcomes:
    // - Errc::unauthorized: there is no such operator, or it is another password. Both take the
    //   same work.
    // - Errc::rate_limited: too many attempts of this name, or from this address. The password was
    //   not looked at.
    // - Errc::overloaded: there is no memory for the password.
    // - Errc::unavailable: the store of the sessions does not answer. The password was not looked
    //   at.
    [[nodiscard]] bool submit(Login login, std::move_only_function<void(LoginOutcome)> done);

    runtime::Progress run(Duration max_wait) override { return queue_.run(max_wait); }
    void wake() override { queue_.wake(); }
    void close() { queue_.close(); }

private:
    LoginOutcome log_in(const Login& login);
    std::expected<void, LoginRefusal> count_attempt(const Login& login);
    std::expected<bool, LoginRefusal> is_right(const Login& login, const std::string& hash);

    AccessStore& callers_;
    Sessions& sessions_;
    SessionStore& store_;
    runtime::Budget* const budget_;
    telemetry::Counter& accepted_;
    telemetry::Counter& refused_;
    telemetry::Counter& throttled_;
    telemetry::Counter& unavailable_;
    runtime::Combiner<Login, LoginOutcome> queue_;
};

}  // namespace trackops::access
