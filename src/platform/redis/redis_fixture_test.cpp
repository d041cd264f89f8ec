#include "platform/redis/redis_fixture.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <list>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include "platform/redis/target.hpp"

namespace trackops::cache {
namespace {

using std::chrono::milliseconds;

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

int bound_socket() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(0);
    if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("no port is free");
    return fd;
}

std::uint16_t port_of_socket(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

void append_text(const redisReply& reply, std::string& out) {
    switch (reply.type) {
        case REDIS_REPLY_INTEGER:
            out += fmt::to_string(reply.integer);
            break;
        case REDIS_REPLY_NIL:
            out += "(nil)";
            break;
        case REDIS_REPLY_ARRAY:
            for (std::size_t i = 0; i < reply.elements; ++i) {
                append_text(*reply.element[i], out);
                out += '\n';
            }
            break;
        default:
            out.append(reply.str, reply.len);
    }
}

}  // namespace

std::string redis_url() {
    const char* url = std::getenv("TRACKOPS_TEST_REDIS");
    if (url == nullptr) throw std::runtime_error("TRACKOPS_TEST_REDIS names no server");
    return url;
}

std::uint16_t port_of(std::string_view url) { return parse_redis_target(url).port; }

std::string fresh_prefix() {
    static std::atomic<int> count = 0;
    return fmt::format("cache_test:{}:{}:", ::getpid(), ++count);
}

bool eventually(const std::function<bool()>& is_true) {
    for (int i = 0; i < 5000; ++i) {
        if (is_true()) return true;
        std::this_thread::sleep_for(milliseconds(2));
    }
    return false;
}

RedisClient::RedisClient(std::uint16_t port) : context_(redisConnect("127.0.0.1", port)) {
    if (context_ == nullptr || context_->err != 0) throw std::runtime_error("no Redis there");
}

void RedisClient::Free::operator()(redisContext* context) const { redisFree(context); }

std::string RedisClient::ask(const std::vector<std::string>& words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
        texts.push_back(word.data());
        sizes.push_back(word.size());
    }
    const std::unique_ptr<redisReply, void (*)(redisReply*)> reply(
        static_cast<redisReply*>(redisCommandArgv(context_.get(), static_cast<int>(words.size()),
                                                  texts.data(), sizes.data())),
        [](redisReply* owned) { freeReplyObject(owned); });
    if (reply == nullptr) throw std::runtime_error(context_->errstr);
    std::string text;
    append_text(*reply, text);
    return text;
}

void RedisClient::age(const std::string& prefix, Duration by) {
    ask({"EVAL",
         "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do "
         "redis.call('PEXPIRE', key, redis.call('PTTL', key) - ARGV[2]) end",
         "0", prefix, fmt::to_string(std::chrono::duration_cast<milliseconds>(by).count())});
}

PrivateRedis::PrivateRedis(std::vector<std::string> options) : options_(std::move(options)) {
    const int fd = bound_socket();
    port_ = port_of_socket(fd);
    ::close(fd);
    start();
}

std::string PrivateRedis::url() const { return fmt::format("redis://127.0.0.1:{}", port_); }

void PrivateRedis::start() {
    std::vector<std::string> words = {
        "redis-server", "--port",    fmt::to_string(port_),  "--bind", "127.0.0.1",
        "--save",       "",          "--appendonly",         "no",     "--dir",
        folder_.path(), "--logfile", folder_.path() + "/log"};
    words.insert(words.end(), options_.begin(), options_.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    process_ = ::fork();
    if (process_ == 0) {
        ::execvp("redis-server", arguments.data());
        ::_exit(127);
    }
    const bool is_there = eventually([this] {
        try {
            RedisClient(port_).ask({"PING"});
            return true;
        } catch (const std::runtime_error&) {
            return false;
        }
    });
    if (!is_there) throw std::runtime_error("redis-server does not start");
}

void PrivateRedis::kill() {
    if (process_ < 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
}

// One thread moves all bytes.
struct Proxy::State {
    struct Pair {
        int client;
        int server;
        bool is_subscriber = false;
        std::string held = {};
    };

    explicit State(std::uint16_t to) : server_port(to), listener(bound_socket()) {
        if (::listen(listener, 64) != 0 || ::pipe2(stop.data(), O_CLOEXEC) != 0)
            throw std::runtime_error("no proxy");
        thread = std::thread([this] { work(); });
    }
    ~State() {
        ::close(stop[1]);
        thread.join();
        for (const Pair& pair : pairs) close(pair);
        ::close(stop[0]);
        ::close(listener);
    }
    static void close(const Pair& pair) {
        ::close(pair.client);
        ::close(pair.server);
    }
    void work();
    void accept();
    bool move_commands(Pair& pair) const;
    bool move_answers(Pair& pair);

    const std::uint16_t server_port;
    const int listener;
    std::array<int, 2> stop{};
    mutable std::mutex mutex;
    std::list<Pair> pairs;
    ProxyRule rule = ProxyRule::pass;
    int connections = 0;
    std::thread thread;
};

void Proxy::State::accept() {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(server_port);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return close({client, server});
    ++connections;
    pairs.push_back({client, server});
}

bool Proxy::State::move_commands(Pair& pair) const {
    std::array<char, 65536> buffer{};
    const ssize_t size = ::recv(pair.client, buffer.data(), buffer.size(), 0);
    if (size <= 0) return false;
    const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
    if (text.find("SUBSCRIBE") != std::string_view::npos) pair.is_subscriber = true;
    if (rule == ProxyRule::drop_commands) return true;
    return ::send(pair.server, text.data(), text.size(), MSG_NOSIGNAL) == size;
}

bool Proxy::State::move_answers(Pair& pair) {
    std::array<char, 65536> buffer{};
    const ssize_t size = ::recv(pair.server, buffer.data(), buffer.size(), 0);
    if (size <= 0) return false;
    std::string_view text(buffer.data(), static_cast<std::size_t>(size));
    if (rule == ProxyRule::drop_replies ||
        (rule == ProxyRule::drop_invalidations && pair.is_subscriber))
        return true;
    if (rule == ProxyRule::delay_replies && !pair.is_subscriber) {
        pair.held += text;
        return true;
    }
    if (rule == ProxyRule::corrupt_replies) text = "HTTP/1.1 400 Bad Request\r\n\r\n";
    return ::send(pair.client, text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
}

void Proxy::State::work() {
    for (;;) {
        std::vector<pollfd> polled = {{stop[0], POLLIN, 0}, {listener, POLLIN, 0}};
        {
            const std::scoped_lock lock(mutex);
            for (const Pair& pair : pairs) {
                polled.push_back({pair.client, POLLIN, 0});
                polled.push_back({pair.server, POLLIN, 0});
            }
        }
        ::poll(polled.data(), polled.size(), -1);
        if (polled[0].revents != 0) return;
        const std::scoped_lock lock(mutex);
        std::size_t i = 2;
        for (auto pair = pairs.begin(); pair != pairs.end() && i + 1 < polled.size(); i += 2) {
            const bool is_open = (polled[i].revents == 0 || move_commands(*pair)) &&
                                 (polled[i + 1].revents == 0 || move_answers(*pair));
            if (!is_open) close(*pair);
            pair = is_open ? std::next(pair) : pairs.erase(pair);
        }
        if (polled[1].revents != 0) accept();
    }
}

Proxy::Proxy(std::uint16_t server_port) : state_(std::make_unique<State>(server_port)) {}
Proxy::~Proxy() = default;

std::string Proxy::url() const {
    return fmt::format("redis://127.0.0.1:{}", port_of_socket(state_->listener));
}

void Proxy::set(ProxyRule rule) {
    const std::scoped_lock lock(state_->mutex);
    state_->rule = rule;
    for (State::Pair& pair : state_->pairs) {
        ::send(pair.client, pair.held.data(), pair.held.size(), MSG_NOSIGNAL);
        pair.held.clear();
    }
}

void Proxy::cut_subscribers() {
    const std::scoped_lock lock(state_->mutex);
    for (const State::Pair& pair : state_->pairs) {
        if (pair.is_subscriber) ::shutdown(pair.client, SHUT_RDWR);
    }
}

int Proxy::connections() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->connections;
}

int Proxy::delayed_replies() const {
    const std::scoped_lock lock(state_->mutex);
    int held = 0;
    for (const State::Pair& pair : state_->pairs) held += pair.held.empty() ? 0 : 1;
    return held;
}

}  // namespace trackops::cache
