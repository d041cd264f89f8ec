// What the driver says when the connection goes at a chosen moment. A proxy stands between it and
// the server and reads along.
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include "platform/sql/database.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"

namespace trackops::sql {
namespace {

using namespace std::string_view_literals;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

enum class Rule : std::uint8_t {
    pass,
    lose_commit,  // cuts when COMMIT comes by, which does not reach the server
    lose_answer,  // cuts when the answer to COMMIT comes by
    deny_commit,  // makes the answer to COMMIT a ROLLBACK
    end_session,  // the server's last words follow its answer to COMMIT
    cut_next,     // cuts when the client next says something, once
    keep_silent,  // gives the client nothing any more
};

constexpr auto last_words = "E\0\0\0\x24SFATAL\0VFATAL\0C25P03\0Mtoo idle\0\0"sv;

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

// Bound to a free port of the loopback, not listening.
std::unique_ptr<Socket> bound_socket() {
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
    explicit Proxy(ServerAddress server) : server_(std::move(server)), listener_(bound_socket()) {
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

    // The server's last words, as an idle timeout has them; the end of the stream is still on its
    // way.
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

    // What was sent arrives some time later; the clients' ends are sockets of this process, too.
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

    // Passes on what has come from one side; false when the pair is to be cut.
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
            "COMMIT\0"sv;  // a CommandComplete message
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
    std::mutex mutex_;  // of pairs_, which only the thread changes
    std::vector<std::unique_ptr<Pair>> pairs_;
    std::thread thread_;
};

constexpr Query add_thing{"thing.add", "INSERT INTO things (id) VALUES ($1)"};
constexpr Query count_things{"thing.count", "SELECT count(*) FROM things"};

class PostgresLoss : public ::testing::Test {
protected:
    PostgresLoss() {
        const auto tx = direct_->begin(Access::write);
        tx->add({"thing.make", "CREATE TABLE things (id bigint PRIMARY KEY)"}, {});
        tx->commit();
        database_->ping();  // There is a connection now.
    }

    ServerAddress server_address() const {
        std::string rest = fresh_.url().substr(fresh_.url().find("://") + 3);
        rest.resize(rest.find('/'));
        rest.erase(0, rest.find('@') + 1);
        const auto colon = rest.find(':');
        if (colon == std::string::npos) return {rest, "5432"};
        return {rest.substr(0, colon), rest.substr(colon + 1)};
    }
    std::string url_through(std::uint16_t port) const {
        const std::string& url = fresh_.url();
        const auto host = url.find("://") + 3;
        const auto path = url.find('/', host);
        const auto at = url.find('@');
        const std::string user = at < path ? url.substr(host, at + 1 - host) : "";
        return fmt::format("postgres://{}127.0.0.1:{}{}?sslmode=disable&gssencmode=disable", user,
                           port, url.substr(path));
    }
    std::int64_t count() {
        const auto tx = direct_->begin(Access::read);
        const auto& counted = tx->add(count_things, {});
        tx->commit();
        return counted.rows()[0].integer(0);
    }
    static std::optional<Fault> fault_of_commit(Transaction& tx) {
        try {
            tx.commit();
            return std::nullopt;
        } catch (const Failure& failure) {
            return failure.fault;
        }
    }

    testing::FreshDatabase fresh_{"postgres"};
    telemetry::Registry metrics_;
    std::unique_ptr<Database> direct_ = open(fresh_.url(), {}, metrics_);
    Proxy proxy_{server_address()};
    std::unique_ptr<Database> database_ = open(url_through(proxy_.port()), {}, metrics_);
};

TEST_F(PostgresLoss, OfTheAnswerToCommitLeavesTheOutcomeUnknown) {
    proxy_.set(Rule::lose_answer);
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    EXPECT_EQ(fault_of_commit(*tx), Fault::outcome_unknown);
    EXPECT_EQ(count(), 1);
}

TEST_F(PostgresLoss, RightAfterTheAnswerToCommitIsNoFault) {
    proxy_.set(Rule::end_session);
    {
        const auto tx = database_->begin(Access::write);
        tx->add(add_thing, {1});
        EXPECT_EQ(fault_of_commit(*tx), std::nullopt);
    }
    proxy_.set(Rule::pass);
    EXPECT_EQ(count(), 1);
    database_->ping();
}

TEST_F(PostgresLoss, OfTheAnswerToTheCommitOfAReaderIsUnavailable) {
    proxy_.set(Rule::lose_answer);
    const auto tx = database_->begin(Access::read);
    tx->add(count_things, {});
    EXPECT_EQ(fault_of_commit(*tx), Fault::unavailable);
}

TEST_F(PostgresLoss, OfACommitOnItsWayLeavesTheOutcomeUnknown) {
    proxy_.set(Rule::lose_commit);
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    tx->flush();
    EXPECT_EQ(fault_of_commit(*tx), Fault::outcome_unknown);
    EXPECT_EQ(count(), 0);
}

TEST_F(PostgresLoss, BeforeCommitWasSentIsUnavailableAndKeepsNothing) {
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    tx->flush();
    proxy_.cut();
    tx->add(add_thing, {2});
    EXPECT_EQ(fault_of_commit(*tx), Fault::unavailable);
    EXPECT_EQ(count(), 0);
}

TEST_F(PostgresLoss, AnnouncedBeforeCommitWasSentIsUnavailable) {
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    tx->flush();
    proxy_.say_goodbye();
    EXPECT_EQ(fault_of_commit(*tx), Fault::unavailable);
}

TEST_F(PostgresLoss, InALaterFlushIsUnavailable) {
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    tx->flush();
    proxy_.set(Rule::cut_next);
    tx->add(add_thing, {2});
    try {
        tx->flush();
        FAIL() << "the flush went through";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.fault, Fault::unavailable);
    }
    EXPECT_EQ(count(), 0);
}

TEST_F(PostgresLoss, WhileIdleIsNoticedBeforeUse) {
    proxy_.cut();
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    EXPECT_EQ(fault_of_commit(*tx), std::nullopt);
    EXPECT_EQ(count(), 1);
}

TEST_F(PostgresLoss, OfEveryIdleConnectionIsNoticedBeforeUse) {
    std::vector<std::unique_ptr<Transaction>> held;
    for (int i = 0; i < 3; ++i) {
        held.push_back(database_->begin(Access::write));
        held.back()->add(count_things, {});
        held.back()->flush();
    }
    held.clear();
    proxy_.cut();
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    EXPECT_EQ(fault_of_commit(*tx), std::nullopt);
}

TEST_F(PostgresLoss, AfterBeginMovesTheTransaction) {
    const auto tx = database_->begin(Access::write);
    proxy_.cut();
    tx->add(add_thing, {1});
    EXPECT_EQ(fault_of_commit(*tx), std::nullopt);
    EXPECT_EQ(count(), 1);
}

TEST_F(PostgresLoss, InTheFirstFlushMovesTheTransaction) {
    const auto tx = database_->begin(Access::write);
    proxy_.set(Rule::cut_next);
    tx->add(add_thing, {1});
    tx->flush();
    EXPECT_EQ(fault_of_commit(*tx), std::nullopt);
    EXPECT_EQ(count(), 1);
}

TEST_F(PostgresLoss, InAFirstFlushThatHeldACommitDoesNot) {
    const auto tx = database_->begin(Access::write);
    proxy_.set(Rule::cut_next);
    tx->add(count_things, {});  // no parameters: needs no round trip before
    EXPECT_EQ(fault_of_commit(*tx), Fault::outcome_unknown);
}

TEST_F(PostgresLoss, OfEveryAnswerIsNoticedInTime) {
    Options impatient;
    impatient.statement_timeout = std::chrono::seconds(1);
    impatient.tcp_user_timeout = milliseconds(50);
    const auto database = open(url_through(proxy_.port()), impatient, metrics_);
    const auto tx = database->begin(Access::write);
    tx->add(add_thing, {1});
    tx->flush();
    proxy_.set(Rule::keep_silent);
    EXPECT_EQ(fault_of_commit(*tx), Fault::outcome_unknown);
}

TEST_F(PostgresLoss, ACommitAnsweredByRollbackIsAFailure) {
    proxy_.set(Rule::deny_commit);
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    EXPECT_EQ(fault_of_commit(*tx), Fault::broken);
}

using PostgresTraffic = PostgresLoss;

TEST_F(PostgresTraffic, IsOneRoundTripATransaction) {
    for (const std::int64_t id : {1, 2}) {
        const int before = proxy_.turns();
        const auto tx = database_->begin(Access::write);
        tx->add(add_thing, {id});
        tx->add(count_things, {});
        tx->commit();
        EXPECT_EQ(proxy_.turns() - before, id == 1 ? 2 : 1)
            << "first BEGIN and Parse, then the rest";
    }
}

TEST_F(PostgresLoss, OfTheServerItselfIsToldAtOnceUntilTheBackoffEnds) {
    auto closed = bound_socket();
    const auto port = closed->port();
    auto url = url_through(port);
    url.insert(url.find('@'), ":sesame");
    const auto away = open(url, {}, metrics_);
    const auto answer = [&away]() -> std::string {
        try {
            away->ping();
            return "";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.fault, Fault::unavailable);
            return failure.what();
        }
    };
    EXPECT_THAT(answer(), AllOf(HasSubstr("refused"), Not(HasSubstr("sesame"))));
    std::string next = answer();  // the first backoff may be over by now, a later one is not
    for (int i = 0; i < 5 && next.find("next attempt in") == std::string::npos; ++i)
        next = answer();
    EXPECT_THAT(next, AllOf(HasSubstr("next attempt in"), Not(HasSubstr("sesame"))));
    EXPECT_THAT(away->description(),
                AllOf(HasSubstr(fmt::format("127.0.0.1:{}", port)), Not(HasSubstr("sesame"))));
}

TEST_F(PostgresLoss, OfAServerThatNeverGreetsEndsInTime) {
    const auto deaf = bound_socket();
    ASSERT_EQ(::listen(deaf->fd(), 16), 0);
    Options impatient;
    impatient.connect_timeout = milliseconds(50);
    const auto database = open(url_through(deaf->port()), impatient, metrics_);
    EXPECT_THROW(database->ping(), Failure);
}

}  // namespace
}  // namespace trackops::sql
