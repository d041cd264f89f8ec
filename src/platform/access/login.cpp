#include "platform/access/login.hpp"

#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/hex.hpp"
#include "platform/access/access_store.hpp"
#include "platform/access/password.hpp"
#include "platform/access/sessions.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::access {
namespace {

// The hash of no password: an unknown operator costs as much as a known one.
constexpr std::string_view hash_of_nobody =
    "$argon2id$v=19$m=19456,t=2,p=1$dHJhY2tvcHMtbm9ib2R5IQ$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

// The attempts that may be made, each kind in a window of its own. The first row stops somebody
// who guesses, the second one many hosts that share the work, the third one a host that tries many
// names. The last two are wide, so that no stranger can easily lock an operator out. Proxies and
// tools of this machine share its loopback address, so that row leaves it out.
struct Throttle {
    std::string (*subject)(const Login& login);  // "": not counted
    std::int64_t attempts_max;
    Duration window;
    bool ends_with_success;
};
constexpr auto throttles = std::to_array<Throttle>({
    {[](const Login& login) { return fmt::format("login\n{}\n{}", login.name, login.from); }, 5,
     std::chrono::minutes(5), true},
    {[](const Login& login) { return "login of\n" + login.name; }, 100, std::chrono::hours(1),
     true},
    {[](const Login& login) {
         return login.is_from_loopback ? std::string() : "login from\n" + login.from;
     },
     200, std::chrono::hours(1), false},
});

// The store learns no name that somebody has typed.
std::string subject_of(const Throttle& throttle, const Login& login) {
    const std::string subject = throttle.subject(login);
    return subject.empty() ? subject : hex(sha256(subject));
}

telemetry::Counter& outcome(telemetry::Registry& metrics, const char* name) {
    return metrics.counter("trackops_logins_total", "Attempts of operators to log in",
                           {{"outcome", name}});
}

LoginRefusal refusal(Errc code, std::string detail) { return {Error{code, std::move(detail)}}; }

}  // namespace

std::size_t bytes_of(const Login& login) {
    return sizeof login + login.name.size() + login.password.reveal().size() + login.from.size();
}

Logins::Logins(AccessStore& callers, Sessions& sessions, SessionStore& store,
               runtime::Budget* budget, telemetry::Registry& metrics)
    : callers_(callers),
      sessions_(sessions),
      store_(store),
      budget_(budget),
      accepted_(outcome(metrics, "accepted")),
      refused_(outcome(metrics, "refused")),
      throttled_(outcome(metrics, "throttled")),
      unavailable_(outcome(metrics, "unavailable")),
      queue_(
          {.batch_max = 1, .queue_max = waiting_max, .budget = budget},
          [this](std::span<const Login> logins) {
              std::vector<LoginOutcome> outcomes;
              for (const Login& login : logins) outcomes.push_back(log_in(login));
              return outcomes;
          },
          [] {
              return LoginOutcome(std::unexpected(
                  refusal(Errc::unavailable, "the login could not be carried out")));
          }) {}

bool Logins::submit(Login login, std::move_only_function<void(LoginOutcome)> done) {
    return queue_.submit(std::move(login), std::move(done));
}

LoginOutcome Logins::log_in(const Login& login) {
    // Counted before the password is looked at, so that attempts side by side count, too.
    if (const auto counted = count_attempt(login); !counted)
        return std::unexpected(counted.error());
    const auto who = callers_.find_operator(login.name);
    const auto right = is_right(login, who ? who->password_hash : std::string(hash_of_nobody));
    if (!right) return std::unexpected(right.error());
    if (!who || !*right) {
        refused_.add();
        return std::unexpected(
            refusal(Errc::unauthorized, "the name or the password is not right"));
    }
    auto id = sessions_.begin(*who, login.from);
    for (const Throttle& throttle : throttles) {
        // Attempts that stay counted end with their window.
        if (id && throttle.ends_with_success)
            (void)store_.forget_attempts(subject_of(throttle, login));
    }
    if (!id) {
        unavailable_.add();
        return std::unexpected(LoginRefusal{id.error()});
    }
    accepted_.add();
    return LoggedIn{*who, *std::move(id)};
}

std::expected<void, LoginRefusal> Logins::count_attempt(const Login& login) {
    for (const Throttle& throttle : throttles) {
        const std::string subject = subject_of(throttle, login);
        if (subject.empty()) continue;
        const auto counted = store_.count_attempt(subject, throttle.window);
        if (!counted) {
            unavailable_.add();
            return std::unexpected(LoginRefusal{counted.error()});
        }
        if (counted->count <= throttle.attempts_max) continue;
        throttled_.add();
        return std::unexpected(LoginRefusal{{Errc::rate_limited, "too many attempts to log in"},
                                            counted->left_of_window});
    }
    return {};
}

std::expected<bool, LoginRefusal> Logins::is_right(const Login& login, const std::string& hash) {
    runtime::Share share(budget_, runtime::Spending::commands);
    if (budget_ && !share.resize(password_memory_bytes)) {
        unavailable_.add();
        return std::unexpected(
            refusal(Errc::overloaded, "the memory for a password is in use; try again"));
    }
    return is_password(login.password, hash);
}

}  // namespace trackops::access
