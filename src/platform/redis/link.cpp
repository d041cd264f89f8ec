#include "platform/redis/link.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <pthread.h>

#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// The maximum number of commands in flight. It is small, so that the last reply is not late because
// of the others.
constexpr std::size_t in_flight_max = 256;
// Interval of looks at the clock while Redis is unavailable.
constexpr Duration probe_interval = milliseconds(100);
constexpr std::string_view invalidations = "__redis__:invalidate";

// An entry in Redis is its version in digits that sort as text, a colon, and the value.
constexpr std::size_t version_digits = 19;

// KEYS[1] is the key. ARGV holds the version with its colon, the time to live in ms that is left,
// and the value. Returns 1 if the entry is stored. Returns 0 if a newer version is present, or if
// no time to live was left; in that case the key is deleted.
constexpr std::string_view put_script = R"lua(
local there = redis.call('GETRANGE', KEYS[1], 0, 19)
if #there == 20 and string.find(there, '^%d+:$') and there > ARGV[1] then return 0 end
if ARGV[2] == '0' then
    redis.call('DEL', KEYS[1])
    return 0
end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[3], 'PX', ARGV[2])
return 1
)lua";

std::string version_text(std::int64_t version) {
    return fmt::format("{:0{}}:", version, version_digits);
}

std::optional<Entry> parse_entry(std::string_view text) {
    if (text.size() <= version_digits || text[version_digits] != ':') return std::nullopt;
    Entry entry;
    const char* end = text.data() + version_digits;
    const auto [stop, failure] = std::from_chars(text.data(), end, entry.version);
    if (failure != std::errc() || stop != end || entry.version < 0) return std::nullopt;
    entry.value = text.substr(version_digits + 1);
    return entry;
}

std::string_view text_of(const redisReply& reply) { return {reply.str, reply.len}; }

int made_wake_fd() {
    const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    return fd;
}

int poll_timeout(Duration at_most) {
    return static_cast<int>(
        std::max<std::int64_t>(0, std::chrono::ceil<milliseconds>(at_most).count()));
}

Duration until(steady_clock::time_point deadline) {
    return std::chrono::ceil<Duration>(deadline - steady_clock::now());
}

}  // namespace

RedisLink::RedisLink(RedisTarget target, const Options& options, const Clock& clock,
                     telemetry::Registry& metrics, MemoryCache& memory)
    : target_(std::move(target)),
      options_(options),
      clock_(clock),
      memory_(memory),
      breaker_open_(metrics.gauge("trackops_cache_breaker_open",
                                  "1 while Redis is away and only probed now and then")),
      connection_errors_(metrics.counter("trackops_cache_errors_total",
                                         "What went wrong with the cache's server",
                                         {{"kind", "connection"}})),
      answer_errors_(metrics.counter("trackops_cache_errors_total", "", {{"kind", "answer"}})),
      dropped_(metrics.counter("trackops_cache_errors_total", "", {{"kind", "dropped"}})),
      wake_fd_(made_wake_fd()) {
    thread_ = std::thread([this] { work(); });
}

RedisLink::~RedisLink() {
    is_stopped_ = true;
    wake();
    thread_.join();
    ::close(wake_fd_);
}

void RedisLink::wake() const {
    const std::uint64_t one = 1;
    // The write can only fail if the counter is full, and then the thread is awake anyway.
    [[maybe_unused]] const auto written = ::write(wake_fd_, &one, sizeof one);
}

// Requires mutex_.
void RedisLink::push(Command command) {
    queue_bytes_ += command.size();
    queue_.push_back(std::move(command));
}

RedisLink::Command RedisLink::pop_front() {
    Command command = std::move(queue_.front());
    queue_.pop_front();
    queue_bytes_ -= command.size();
    return command;
}

bool RedisLink::has_room_for(const Command& write) {
    const auto is_full = [&] {
        return queue_.size() >= queue_max || queue_bytes_ + write.size() > queue_bytes_max;
    };
    // While Redis is unavailable no caller waits in the queue: it holds writes only.
    for (; is_full() && state_ != State::up && !queue_.empty(); dropped_.add()) pop_front();
    if (!is_full()) return true;
    dropped_.add();
    return false;
}

void RedisLink::put(std::string_view key, Entry entry, Duration time_to_live) {
    write({.kind = Kind::put,
           .key = std::string(key),
           .entry = std::move(entry),
           .expires = clock_.now() + time_to_live});
}

void RedisLink::remove(std::string_view key) {
    write({.kind = Kind::remove, .key = std::string(key)});
}

// Only reads fill the memory, because only Redis knows which of two writers was first.
void RedisLink::write(Command command) {
    {
        const std::scoped_lock lock(mutex_);
        forget(command.key);
        if (!has_room_for(command)) return;
        push(std::move(command));
    }
    wake();
}

// Requires mutex_. A read in flight may return the value from before the change, so its result is
// not kept in memory.
void RedisLink::forget(std::string_view key) {
    ++change_of(key);
    memory_.remove(key);
}

std::vector<std::optional<Entry>> RedisLink::get(std::span<const std::string> keys) {
    Waiter waiting{.found = std::vector<std::optional<Entry>>(keys.size())};
    std::unique_lock lock(mutex_);
    if (state_ != State::up) return std::move(waiting.found);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (queue_.size() >= queue_max) {
            dropped_.add();
            break;
        }
        push({.kind = Kind::get,
              .key = keys[i],
              .waiting = &waiting,
              .index = i,
              .change = change_of(keys[i])});
        ++waiting.left;
    }
    wait_for(lock, waiting);
    return std::move(waiting.found);
}

bool RedisLink::ping() {
    Waiter waiting{.left = 1};
    std::unique_lock lock(mutex_);
    // Connecting makes two connections with their logins and looks up the host name, so it may take
    // several connect timeouts.
    changed_.wait_for(lock, 4 * options_.connect_timeout,
                      [this] { return state_ != State::connecting; });
    if (state_ != State::up) return false;
    push({.kind = Kind::ping, .waiting = &waiting});
    wait_for(lock, waiting);
    return !waiting.is_lost;
}

// The thread answers every waiter, at the latest when it drops the connection.
void RedisLink::wait_for(std::unique_lock<std::mutex>& lock, const Waiter& waiting) {
    wake();
    changed_.wait(lock, [&] { return waiting.left == 0; });
}

void RedisLink::work() {
    sigset_t broken_pipe;
    ::sigemptyset(&broken_pipe);
    ::sigaddset(&broken_pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);  // hiredis writes without MSG_NOSIGNAL
    while (!is_stopped_) {
        if (const Duration left = breaker_.left(clock_.now()); left > Duration::zero()) {
            wait_readable(wake_fd_, std::min(left, probe_interval));
            continue;
        }
        try {
            set(State::connecting);
            connect();
            while (!is_stopped_) run_once();
        } catch (const ConnectionLost& lost) {
            disconnect(lost.what());
        }
    }
    disconnect("the cache is closed");
}

void RedisLink::set(State state) {
    {
        const std::scoped_lock lock(mutex_);
        state_ = state;
    }
    changed_.notify_all();
}

bool RedisLink::wait_readable(int fd, Duration at_most) const {
    std::array<pollfd, 2> polled{{{wake_fd_, POLLIN, 0}, {fd, POLLIN, 0}}};
    ::poll(polled.data(), polled.size(), poll_timeout(at_most));
    std::uint64_t count = 0;
    if (polled[0].revents != 0) [[maybe_unused]]
        const auto drained = ::read(wake_fd_, &count, sizeof count);
    return polled[1].revents != 0;
}

// Sends one command of the login and waits for its reply. Only the link's own thread calls it.
Reply RedisLink::ask(RedisConnection& connection, std::initializer_list<std::string_view> words,
                     Deadline deadline) const {
    connection.add(words);
    connection.flush();  // a login fits into the buffer of any socket
    for (;;) {
        if (Reply reply = connection.next()) {
            if (reply->type == REDIS_REPLY_ERROR)
                throw ConnectionLost(fmt::format("{} is refused: {}", *words.begin(), reply->str));
            return reply;
        }
        if (is_stopped_) throw ConnectionLost("the cache is closed");
        if (wait_readable(connection.fd(), until(deadline))) {
            connection.read();
        } else if (steady_clock::now() >= deadline) {
            throw ConnectionLost(fmt::format("no answer to {} in time", *words.begin()));
        }
    }
}

void RedisLink::log_in(RedisConnection& connection, Deadline deadline) const {
    if (!target_.user.empty()) {
        ask(connection, {"AUTH", target_.user, target_.password.reveal()}, deadline);
    } else if (!target_.password.empty()) {
        ask(connection, {"AUTH", target_.password.reveal()}, deadline);
    }
}

void RedisLink::connect() {
    commands_ = std::make_unique<RedisConnection>(target_, options_.connect_timeout);
    invalidations_ = std::make_unique<RedisConnection>(target_, options_.connect_timeout);
    const Deadline deadline = steady_clock::now() + options_.connect_timeout;
    log_in(*invalidations_, deadline);
    const Reply id = ask(*invalidations_, {"CLIENT", "ID"}, deadline);
    ask(*invalidations_, {"SUBSCRIBE", invalidations}, deadline);
    log_in(*commands_, deadline);
    if (target_.database != 0)
        ask(*commands_, {"SELECT", fmt::to_string(target_.database)}, deadline);
    ask(*commands_,
        {"CLIENT", "TRACKING", "ON", "REDIRECT", fmt::to_string(id->integer), "BCAST", "PREFIX",
         options_.prefix},
        deadline);
    const Reply sha = ask(*commands_, {"SCRIPT", "LOAD", put_script}, deadline);
    if (id->type != REDIS_REPLY_INTEGER || sha->type != REDIS_REPLY_STRING)
        throw ConnectionLost("it does not speak as Redis does");
    script_sha_ = text_of(*sha);
    set(State::up);
    breaker_open_.set(0);
    if (std::exchange(is_failing_, false))
        telemetry::log(telemetry::Level::info, "cache", "Redis answers again",
                       {{"url", target_.description()}});
}

void RedisLink::run_once() {
    send_queued();
    const bool all_sent = commands_->flush();
    std::array<pollfd, 3> polled{
        {{wake_fd_, POLLIN, 0},
         {invalidations_->fd(), POLLIN, 0},
         {commands_->fd(), static_cast<short>(all_sent ? POLLIN : POLLIN | POLLOUT), 0}}};
    const int timeout = in_flight_.empty() ? -1 : poll_timeout(until(in_flight_.front().deadline));
    if (::poll(polled.data(), polled.size(), timeout) < 0 && errno != EINTR)
        throw ConnectionLost("poll fails");
    std::uint64_t count = 0;
    if (polled[0].revents != 0) [[maybe_unused]]
        const auto drained = ::read(wake_fd_, &count, sizeof count);
    const bool is_answered = (polled[2].revents & ~POLLOUT) != 0;
    // Invalidations that Redis sent before a reply must be handled first, also if poll() reported
    // only the reply.
    if (polled[1].revents != 0 || is_answered) {
        invalidations_->read();
        while (const Reply message = invalidations_->next()) handle_invalidation(*message);
    }
    if (is_answered) {
        commands_->read();
        bool is_moving = false;
        for (; const Reply reply = commands_->next(); is_moving = true) take(*reply);
        if (is_moving) return;
    }
    // At this point replies that arrived late, because this thread could not run, have been read.
    if (!in_flight_.empty() && steady_clock::now() >= in_flight_.front().deadline)
        throw ConnectionLost("no answer in time");
}

void RedisLink::send_queued() {
    while (in_flight_.size() < in_flight_max) {
        {
            const std::scoped_lock lock(mutex_);
            if (queue_.empty()) return;
            in_flight_.push_back(pop_front());
        }
        in_flight_.back().deadline = steady_clock::now() + options_.command_timeout;
        send(in_flight_.back());
    }
}

void RedisLink::send(const Command& command) {
    const std::string key = options_.prefix + command.key;
    switch (command.kind) {
        case Kind::get:
            return commands_->add({"GET", key});
        case Kind::put:
            return send_put(command, false);
        case Kind::remove:
            return commands_->add({"DEL", key});
        case Kind::ping:
            return commands_->add({"PING"});
    }
}

void RedisLink::send_put(const Command& command, bool with_script) {
    const std::int64_t left = std::max<std::int64_t>(
        0, std::chrono::ceil<milliseconds>(command.expires - clock_.now()).count());
    commands_->add({with_script ? "EVAL" : "EVALSHA", with_script ? put_script : script_sha_, "1",
                    options_.prefix + command.key, version_text(command.entry.version),
                    fmt::to_string(left),
                    left > 0 ? std::string_view(command.entry.value) : std::string_view()});
}

// The message is ["message", channel, changed keys], with nil for all keys.
void RedisLink::handle_invalidation(const redisReply& message) {
    if (message.type != REDIS_REPLY_ARRAY || message.elements != 3 ||
        message.element[1]->type != REDIS_REPLY_STRING ||
        text_of(*message.element[1]) != invalidations)
        throw ConnectionLost("a message that fits no subscription");
    const redisReply& keys = *message.element[2];
    const std::scoped_lock lock(mutex_);
    if (keys.type != REDIS_REPLY_ARRAY) {
        for (std::uint32_t& change : change_counts_) ++change;
        memory_.clear();
        return;
    }
    for (std::size_t i = 0; i < keys.elements; ++i) {
        if (keys.element[i]->type != REDIS_REPLY_STRING) continue;
        const std::string_view key = text_of(*keys.element[i]);
        if (key.starts_with(options_.prefix)) forget(key.substr(options_.prefix.size()));
    }
}

void RedisLink::take(const redisReply& reply) {
    if (in_flight_.empty()) throw ConnectionLost("an answer that nobody asked for");
    breaker_.succeeded();
    Command command = std::move(in_flight_.front());
    in_flight_.pop_front();
    if (reply.type == REDIS_REPLY_ERROR && command.kind != Kind::put) answer_errors_.add();
    switch (command.kind) {
        case Kind::get:
            return take_found(command, reply);
        case Kind::put:
            return take_put(std::move(command), reply);
        case Kind::remove:
            return;
        case Kind::ping: {
            const std::scoped_lock lock(mutex_);
            return answer(*command.waiting);
        }
    }
}

void RedisLink::take_found(const Command& get, const redisReply& reply) {
    std::optional<Entry> entry;
    if (reply.type == REDIS_REPLY_STRING) {
        entry = parse_entry(text_of(reply));
        if (!entry) answer_errors_.add();
    }
    const std::scoped_lock lock(mutex_);
    if (entry && get.change == change_of(get.key))
        memory_.put(get.key, *entry, options_.memory_time_to_live);
    get.waiting->found[get.index] = std::move(entry);
    answer(*get.waiting);
}

void RedisLink::take_put(Command put, const redisReply& reply) {
    if (reply.type == REDIS_REPLY_ERROR && text_of(reply).starts_with("NOSCRIPT")) {
        put.deadline = steady_clock::now() + options_.command_timeout;
        send_put(put, true);
        in_flight_.push_back(std::move(put));
        return;
    }
    if (reply.type == REDIS_REPLY_ERROR) answer_errors_.add();
}

// Requires mutex_. Counts one answer of a waiter, and wakes the waiter when it has all.
void RedisLink::answer(Waiter& waiting) {
    if (--waiting.left == 0) changed_.notify_all();
}

// Waiters get nothing. Writes with an unknown outcome are queued again, before the later ones.
void RedisLink::disconnect(const char* why) {
    memory_.clear();  // only this thread fills it, and only while it receives invalidations
    commands_.reset();
    invalidations_.reset();
    breaker_.failed(clock_.now());
    breaker_open_.set(1);
    connection_errors_.add();
    {
        const std::scoped_lock lock(mutex_);
        state_ = State::away;
        std::deque<Command> all = std::exchange(in_flight_, {});
        std::ranges::move(queue_, std::back_inserter(all));
        queue_.clear();
        queue_bytes_ = 0;
        for (Command& command : all) {
            if (command.waiting == nullptr) {
                push(std::move(command));
            } else {
                --command.waiting->left;
                command.waiting->is_lost = true;
            }
        }
        changed_.notify_all();
    }
    if (!is_stopped_ && !std::exchange(is_failing_, true))
        telemetry::log(telemetry::Level::warn, "cache",
                       "Redis is away; the cache is empty until it is back",
                       {{"url", target_.description()}, {"reason", why}});
}

}  // namespace trackops::cache
