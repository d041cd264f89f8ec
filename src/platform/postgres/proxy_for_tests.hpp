// For tests of the PostgreSQL driver: a proxy in front of the server that reads the traffic and can
// cut, change or withhold it.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netdb.h>

namespace trackops::sql {

using namespace std::string_view_literals;

enum class Rule : std::uint8_t {
    pass,
    lose_commit,  // cuts before a COMMIT reaches the server
    lose_answer,  // cuts before the answer to COMMIT reaches the client
    deny_commit,  // changes the answer to COMMIT into ROLLBACK
    end_session,  // ends the session with last_words after the answer to COMMIT
    cut_next,     // cuts at the next bytes from the client, once
    keep_silent,  // passes nothing more to the client
};

inline constexpr auto last_words = "E\0\0\0\x24SFATAL\0VFATAL\0C25P03\0Mtoo idle\0\0"sv;

class Socket {
public:
    explicit Socket(int fd) : fd_(fd) {
        if (fd < 0) throw std::runtime_error("no socket");
    }
    ~Socket() { ::close(fd_); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    int fd() const { return fd_; }
    std::uint16_t port() const {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        return ntohs(address.sin_port);
    }

private:
    const int fd_;
};

// Returns a socket that is bound to a free port of the loopback and does not listen.
inline std::unique_ptr<Socket> bound_socket() {
    auto made = std::make_unique<Socket>(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(made->fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return made;
}

struct ServerAddress {
    std::string host;
    std::string port;
};

class Proxy {
public:
    explicit Proxy(ServerAddress server, std::unique_ptr<Socket> bound = bound_socket())
        : server_(std::move(server)), listener_(std::move(bound)) {
        EXPECT_EQ(::listen(listener_->fd(), 16), 0);
        thread_ = std::thread([this] { work(); });
    }
    ~Proxy() {
        const std::uint64_t one = 1;
        EXPECT_EQ(::write(stop_.fd(), &one, sizeof one), 8);
        thread_.join();
    }
    std::uint16_t port() const { return listener_->port(); }
    void set(Rule rule) { rule_ = rule; }
    int turns() const { return turns_; }

    void cut() {
        {
            const std::lock_guard lock(mutex_);
            for (const auto& pair : pairs_) ::shutdown(pair->client.fd(), SHUT_RDWR);
        }
        wait_until_clients_see_it();
    }

    // Sends the clients the error message of an idle timeout. The end of the stream does not
    // follow.
    void say_goodbye() {
        {
            const std::lock_guard lock(mutex_);
            for (const auto& pair : pairs_)
                EXPECT_GT(::send(pair->client.fd(), last_words.data(), last_words.size(), 0), 0);
        }
        wait_until_clients_see_it();
    }

private:
    struct Pair {
        explicit Pair(int client_fd, int server_fd) : client(client_fd), server(server_fd) {}
        Socket client;
        Socket server;
        bool client_spoke_last = false;
    };

    // Data arrives after a delay. The client ends are sockets of this process, so they can be
    // polled.
    void wait_until_clients_see_it() const {
        for (int fd = 0; fd < 1024; ++fd) {
            sockaddr_in peer{};
            socklen_t size = sizeof peer;
            if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
            if (peer.sin_family != AF_INET || ntohs(peer.sin_port) != port()) continue;
            pollfd polled{fd, POLLIN, 0};
            EXPECT_EQ(::poll(&polled, 1, 5000), 1);
        }
    }

    int connect_to_server() const {
        addrinfo* found = nullptr;
        const addrinfo hints{.ai_socktype = SOCK_STREAM};
        if (::getaddrinfo(server_.host.c_str(), server_.port.c_str(), &hints, &found) != 0)
            return -1;
        const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::connect(fd, found->ai_addr, found->ai_addrlen), 0);
        ::freeaddrinfo(found);
        return fd;
    }

    void work() {
        for (;;) {
            std::vector<pollfd> polled = {{stop_.fd(), POLLIN, 0}, {listener_->fd(), POLLIN, 0}};
            for (const auto& pair : pairs_) {
                polled.push_back({pair->client.fd(), POLLIN, 0});
                polled.push_back({pair->server.fd(), POLLIN, 0});
            }
            ::poll(polled.data(), polled.size(), -1);
            if (polled[0].revents != 0) return;
            std::vector<std::unique_ptr<Pair>> left;
            const std::lock_guard lock(mutex_);
            for (std::size_t i = 0; i < pairs_.size(); ++i) {
                Pair& pair = *pairs_[i];
                const bool lives = (polled[2 + 2 * i].revents == 0 || pass_on(pair, true)) &&
                                   (polled[3 + 2 * i].revents == 0 || pass_on(pair, false));
                if (lives) left.push_back(std::move(pairs_[i]));
            }
            pairs_ = std::move(left);
            if (polled[1].revents != 0) {
                pairs_.push_back(std::make_unique<Pair>(::accept(listener_->fd(), nullptr, nullptr),
                                                        connect_to_server()));
            }
        }
    }

    // Passes on the bytes that one side has sent. Returns false if the pair is to be cut.
    bool pass_on(Pair& pair, bool from_client) {
        std::array<char, 65536> buffer;
        const auto count =
            ::read(from_client ? pair.client.fd() : pair.server.fd(), buffer.data(), buffer.size());
        if (count <= 0) return false;
        std::string bytes(buffer.data(), static_cast<std::size_t>(count));
        if (from_client && !std::exchange(pair.client_spoke_last, true)) ++turns_;
        if (!from_client) pair.client_spoke_last = false;
        if (!apply_rule(bytes, from_client)) return false;
        const int to = from_client ? pair.server.fd() : pair.client.fd();
        return ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size());
    }

    bool apply_rule(std::string& bytes, bool from_client) {
        constexpr auto commit = "\0COMMIT\0"sv;  // in a Parse message
        constexpr auto committed =
            "C\0\0\0\x0b"
            // A CommandComplete message.
            "COMMIT\0"sv;
        constexpr auto rolled_back =
            "C\0\0\0\x0d"
            "ROLLBACK\0"sv;
        const auto answer = from_client ? std::string::npos : bytes.find(committed);
        switch (rule_) {
            case Rule::pass:
                return true;
            case Rule::lose_commit:
                return !from_client || bytes.find(commit) == std::string::npos;
            case Rule::lose_answer:
                return answer == std::string::npos;
            case Rule::deny_commit:
                if (answer != std::string::npos)
                    bytes.replace(answer, committed.size(), rolled_back);
                return true;
            case Rule::end_session:
                if (answer == std::string::npos) return true;
                bytes.replace(answer + committed.size(), std::string::npos, last_words);
                return true;
            case Rule::cut_next:
                if (!from_client) return true;
                rule_ = Rule::pass;
                return false;
            case Rule::keep_silent:
                if (!from_client) bytes.clear();
                return true;
        }
        return true;
    }

    const ServerAddress server_;
    const std::unique_ptr<Socket> listener_;
    const Socket stop_{::eventfd(0, EFD_CLOEXEC)};
    std::atomic<Rule> rule_ = Rule::pass;
    std::atomic<int> turns_ = 0;
    std::mutex mutex_;  // guards pairs_, which only the thread changes
    std::vector<std::unique_ptr<Pair>> pairs_;
    std::thread thread_;
};

// Returns the address of the server that the URL names.
inline ServerAddress server_address(const std::string& url) {
    std::string rest = url.substr(url.find("://") + 3);
    rest.resize(rest.find('/'));
    rest.erase(0, rest.find('@') + 1);
    const auto colon = rest.find(':');
    if (colon == std::string::npos) return {rest, "5432"};
    return {rest.substr(0, colon), rest.substr(colon + 1)};
}
// Returns a URL of the same database through a port of the loopback.
inline std::string url_through(const std::string& url, std::uint16_t port) {
    const auto host = url.find("://") + 3;
    const auto path = url.find('/', host);
    const auto at = url.find('@');
    const std::string user = at < path ? url.substr(host, at + 1 - host) : "";
    return fmt::format("postgres://{}127.0.0.1:{}{}?sslmode=disable&gssencmode=disable", user, port,
                       url.substr(path));
}

}  // namespace trackops::sql
