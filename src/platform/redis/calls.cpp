#include "platform/redis/calls.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <poll.h>
#include <utility>

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <pthread.h>

#include "base/clock.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// hiredis writes without MSG_NOSIGNAL, and the thread is not ours. A signal that this call has
// caused is taken away before the thread sees it.
class NoBrokenPipe {
public:
    NoBrokenPipe() {
        ::sigemptyset(&broken_pipe_);
        ::sigaddset(&broken_pipe_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &broken_pipe_, &before_);
    }
    ~NoBrokenPipe() {
        const timespec at_once{};
        ::sigtimedwait(&broken_pipe_, nullptr, &at_once);
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    NoBrokenPipe(const NoBrokenPipe&) = delete;
    NoBrokenPipe& operator=(const NoBrokenPipe&) = delete;

private:
    sigset_t broken_pipe_{};
    sigset_t before_{};
};

void wait_for(int fd, short events, steady_clock::time_point deadline) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    pollfd polled{fd, events, 0};
    if (left <= 0 || ::poll(&polled, 1, static_cast<int>(left)) == 0)
        throw ConnectionLost("no answer in time");
}

std::unexpected<Error> does_not_answer() {
    return fail(Errc::unavailable, "Redis, which keeps the sessions, does not answer");
}

}  // namespace

RedisCalls::RedisCalls(RedisTarget target, Duration timeout, const Clock& clock,
                       telemetry::Registry& metrics)
    : target_(std::move(target)),
      timeout_(timeout),
      clock_(clock),
      errors_(metrics.counter("trackops_sessions_store_errors_total",
                              "Calls for sessions that Redis has not answered")) {}

RedisCalls::~RedisCalls() = default;

bool RedisCalls::take_turn() {
    std::unique_lock lock(mutex_);
    if (!turn_ended_.wait_for(lock, timeout_, [this] { return !is_taken_; })) return false;
    is_taken_ = true;
    return true;
}

void RedisCalls::end_turn() {
    const std::lock_guard lock(mutex_);
    is_taken_ = false;
    turn_ended_.notify_one();
}

Result<std::vector<Reply>> RedisCalls::ask(const std::vector<Words>& commands) {
    if (!take_turn()) {
        errors_.add();
        return does_not_answer();
    }
    struct Turn {
        RedisCalls& calls;
        ~Turn() { calls.end_turn(); }
    };
    const Turn turn{*this};
    return ask_in_turn(commands);
}

Result<std::vector<Reply>> RedisCalls::ask_in_turn(const std::vector<Words>& commands) {
    if (breaker_.left(clock_.now()) > Duration::zero()) {
        errors_.add();
        return does_not_answer();
    }
    try {
        const NoBrokenPipe no_signal;
        if (!connection_) connect();
        std::vector<Reply> replies = exchange(commands);
        breaker_.succeeded();
        if (std::exchange(is_failing_, false))
            telemetry::log(telemetry::Level::info, "sessions", "Redis answers again",
                           {{"url", target_.description()}});
        return replies;
    } catch (const ConnectionLost& lost) {
        connection_.reset();
        breaker_.failed(clock_.now());
        errors_.add();
        if (!std::exchange(is_failing_, true))
            telemetry::log(telemetry::Level::warn, "sessions",
                           "Redis is away; operators cannot log in or use their sessions",
                           {{"url", target_.description()}, {"reason", lost.what()}});
        return does_not_answer();
    }
}

void RedisCalls::connect() {
    connection_ = std::make_unique<RedisConnection>(target_, timeout_);
    std::vector<Words> login;
    if (!target_.user.empty()) {
        login.push_back({"AUTH", target_.user, target_.password.reveal()});
    } else if (!target_.password.empty()) {
        login.push_back({"AUTH", target_.password.reveal()});
    }
    if (target_.database != 0) login.push_back({"SELECT", fmt::to_string(target_.database)});
    const std::vector<Reply> replies = exchange(login);
    for (std::size_t i = 0; i < replies.size(); ++i) {
        if (replies[i]->type == REDIS_REPLY_ERROR)
            throw ConnectionLost(fmt::format("{} is refused: {}", login[i][0], replies[i]->str));
    }
}

std::vector<Reply> RedisCalls::exchange(const std::vector<Words>& commands) {
    const auto deadline = steady_clock::now() + timeout_;
    for (const Words& words : commands) connection_->add(words);
    std::vector<Reply> replies;
    while (!connection_->flush()) wait_for(connection_->fd(), POLLOUT, deadline);
    while (replies.size() < commands.size()) {
        if (Reply reply = connection_->next()) {
            replies.push_back(std::move(reply));
        } else {
            wait_for(connection_->fd(), POLLIN, deadline);
            connection_->read();
        }
    }
    return replies;
}

}  // namespace trackops::cache
