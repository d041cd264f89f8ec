// An open-loop load generator: sends orders at a constant rate, however long the responses take.
// Latency counts from the intended start of a request, so a stall shows in all requests that it
// delays (no coordinated omission).
//   bench_open_loop PORT PATH RATE SECONDS CONNECTIONS
// Reads the bodies of the orders from standard input, one a line, and sends them in turn, each with
// an idempotency key of its own. Prints one JSON line. Any response except a 201 that contains
// EXPECTED ("status":"CONFIRMED") is a failure.
#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <charconv>
#include <chrono>
#include <iostream>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace {

using SteadyClock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::string_view expected = R"("status":"CONFIRMED")";

struct Load {
    std::uint16_t port;
    std::string path;
    std::int64_t per_second;
    std::int64_t requests;
    std::vector<std::string> bodies;
};

class Connection {
public:
    explicit Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{.sin_family = AF_INET,
                            .sin_port = htons(port),
                            .sin_addr = {htonl(INADDR_LOOPBACK)},
                            .sin_zero = {}};
        const int yes = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("cannot connect");
    }
    ~Connection() { ::close(socket_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Sends the request and returns the complete response.
    std::string ask(std::string_view request) {
        while (!request.empty()) {
            const auto sent = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
            if (sent <= 0) throw std::runtime_error("the connection broke");
            request.remove_prefix(static_cast<std::size_t>(sent));
        }
        std::string answer;
        while (answer.size() < size_of(answer)) {
            char bytes[16384];
            const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
            if (got <= 0) throw std::runtime_error("the connection broke");
            answer.append(bytes, static_cast<std::size_t>(got));
        }
        return answer;
    }

private:
    // Returns the size of the whole response, or npos until its header is complete.
    static std::size_t size_of(std::string_view answer) {
        const auto end = answer.find("\r\n\r\n");
        if (end == std::string_view::npos) return std::string_view::npos;
        const auto at = answer.find("Content-Length: ");
        if (at >= end) throw std::runtime_error("an answer without a length");
        std::size_t length = 0;
        std::from_chars(answer.data() + at + 16, answer.data() + end, length);
        return end + 4 + length;
    }
    int socket_;
};

std::string request_of(const Load& load, std::int64_t number) {
    const std::string& body = load.bodies[static_cast<std::size_t>(number) % load.bodies.size()];
    return fmt::format(
        "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
        "{}\r\nIdempotency-Key: open-loop-{}-{}\r\n\r\n{}",
        load.path, body.size(), ::getpid(), number, body);
}

// Repeats until no order is left: takes the next order, waits until it is due, sends it and waits
// for the response. Returns the latencies in milliseconds.
std::vector<double> play(const Load& load, std::atomic<std::int64_t>& next,
                         SteadyClock::time_point start) {
    Connection connection(load.port);
    std::vector<double> taken_ms;
    for (auto number = next++; number < load.requests; number = next++) {
        const auto due = start + std::chrono::nanoseconds(1'000'000'000) * number / load.per_second;
        const std::string request = request_of(load, number);
        std::this_thread::sleep_until(due);
        const std::string answer = connection.ask(request);
        taken_ms.push_back(Milliseconds(SteadyClock::now() - due).count());
        if (!answer.starts_with("HTTP/1.1 201") || answer.find(expected) == std::string::npos)
            throw std::runtime_error("not confirmed: " + answer);
    }
    return taken_ms;
}

std::vector<double> play_all(const Load& load, std::size_t connections) {
    std::vector<std::vector<double>> taken_ms(connections);
    std::atomic<std::int64_t> next = 0;
    std::exception_ptr fault;
    std::atomic<bool> has_failed = false;
    const auto start = SteadyClock::now() + std::chrono::milliseconds(100);
    {
        std::vector<std::jthread> threads;
        for (auto& mine : taken_ms) {
            threads.emplace_back([&] {
                try {
                    mine = play(load, next, start);
                } catch (...) {
                    next = load.requests;
                    if (!has_failed.exchange(true)) fault = std::current_exception();
                }
            });
        }
    }
    if (fault) std::rethrow_exception(fault);
    for (std::size_t i = 1; i < taken_ms.size(); ++i)
        taken_ms[0].insert(taken_ms[0].end(), taken_ms[i].begin(), taken_ms[i].end());
    std::ranges::sort(taken_ms[0]);
    return taken_ms[0];
}

void run(char** words) {
    Load load{.port = static_cast<std::uint16_t>(std::stoi(words[1])),
              .path = words[2],
              .per_second = std::stoll(words[3]),
              .requests = static_cast<std::int64_t>(std::stod(words[3]) * std::stod(words[4])),
              .bodies = {}};
    for (std::string line; std::getline(std::cin, line);) load.bodies.push_back(line);
    if (load.bodies.empty() || load.requests < 1)
        throw std::runtime_error("no bodies, or nothing to send");
    const auto taken_ms = play_all(load, std::stoul(words[5]));
    const auto quantile = [&](double share) {
        return taken_ms[static_cast<std::size_t>(share * static_cast<double>(taken_ms.size() - 1))];
    };
    fmt::print(
        "{{\"rate\": {}, \"p50_ms\": {:.2f}, \"p99_ms\": {:.2f}, \"max_ms\": {:.2f}, \"done\": "
        "{}}}\n",
        load.per_second, quantile(0.5), quantile(0.99), taken_ms.back(), taken_ms.size());
}

}  // namespace

int main(int count, char** words) {
    if (count != 6) {
        fmt::print(stderr, "bench_open_loop PORT PATH RATE SECONDS CONNECTIONS < BODIES\n");
        return 2;
    }
    try {
        run(words);
    } catch (const std::exception& error) {
        fmt::print(stderr, "bench_open_loop: {}\n", error.what());
        return 1;
    }
}
