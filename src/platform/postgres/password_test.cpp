// Where a password may come from, and that it goes to the server only.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/backends/open_database.hpp"
#include "platform/sql/database.hpp"
#include "platform/sql/url.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"

namespace trackops::sql {
namespace {

using namespace std::string_view_literals;
using ::testing::HasSubstr;
using ::testing::Not;

// Asks one client for its password in the clear, and refuses it.
class Doorkeeper {
public:
    Doorkeeper() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(listener_, generic, size), 0);
        EXPECT_EQ(::listen(listener_, 1), 0);
        EXPECT_EQ(::getsockname(listener_, generic, &size), 0);
        port_ = ntohs(address.sin_port);
        heard_ = std::async(std::launch::async, [this] { return serve(); });
    }
    ~Doorkeeper() { ::close(listener_); }
    Doorkeeper(const Doorkeeper&) = delete;
    Doorkeeper& operator=(const Doorkeeper&) = delete;
    std::uint16_t port() const { return port_; }
    std::string heard() { return heard_.get(); }

private:
    // The client's password message.
    std::string serve() const {
        const int client = ::accept(listener_, nullptr, nullptr);
        std::array<char, 4096> said{};
        EXPECT_GT(::recv(client, said.data(), said.size(), 0), 0);  // StartupMessage
        constexpr auto ask = "R\0\0\0\x08\0\0\0\x03"sv;
        EXPECT_EQ(::send(client, ask.data(), ask.size(), 0), 9);
        const auto size = ::recv(client, said.data(), said.size(), 0);
        constexpr auto refuse =
            "E\0\0\0\x1aSFATAL\0\x43"
            "28P01\0Mwrong\0\0"sv;
        static_assert(refuse.size() == 1 + 0x1a);  // the length counts all but the type
        ::send(client, refuse.data(), refuse.size(), 0);
        ::close(client);
        return {said.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
    }

    const int listener_;
    std::uint16_t port_ = 0;
    std::future<std::string> heard_;
};

// What the server hears, and what the caller is told.
struct Told {
    std::string server;
    std::string caller;
};
Told connect(const std::string& user, const std::string& parameters) {
    Doorkeeper doorkeeper;
    telemetry::Registry metrics;
    const auto database = backends::open_database(
        fmt::format("postgres://{}@127.0.0.1:{}/shop?sslmode=disable&gssencmode=disable{}", user,
                    doorkeeper.port(), parameters),
        {}, metrics);
    Told told;
    try {
        database->ping();
    } catch (const Failure& failure) {
        told.caller = failure.what();
    }
    told.caller += database->description();
    told.server = doorkeeper.heard();
    return told;
}

void expect_kept(const Told& told) {
    EXPECT_THAT(told.server, HasSubstr("s3cret"));
    EXPECT_THAT(told.caller, HasSubstr("127.0.0.1"));
    EXPECT_THAT(told.caller, Not(HasSubstr("s3cret")));
}

TEST(PostgresPassword, ComesFromTheUrl) { expect_kept(connect("me:s3cret", "")); }

TEST(PostgresPassword, ComesFromAFile) {
    const testing::TemporaryFolder folder;
    const std::string path = folder.path() + "/pgpass";
    std::ofstream(path) << "*:*:shop:me:s3cret\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    expect_kept(connect("me", "&passfile=" + path));
    ::setenv("PGPASSFILE", path.c_str(), 1);
    expect_kept(connect("me", ""));
    ::unsetenv("PGPASSFILE");
}

TEST(PostgresPassword, ComesFromTheEnvironment) {
    ::setenv("PGPASSWORD", "s3cret", 1);
    expect_kept(connect("me", ""));
    ::unsetenv("PGPASSWORD");
}

TEST(UrlWithoutPassword, ShowsAllButThePassword) {
    const std::vector<std::pair<std::string, std::string>> table = {
        {"sqlite:data/orders.db", "sqlite:data/orders.db"},
        {"postgres://host:5432/shop", "postgres://host:5432/shop"},
        {"postgres://me@host:5432/shop", "postgres://me@host:5432/shop"},
        {"postgres://me:s3cret@host:5432/shop", "postgres://me:***@host:5432/shop"},
        {"postgres://me:s3cret@/shop?host=/tmp", "postgres://me:***@/shop?host=/tmp"},
        {"postgres://me:s3@c:r/et@host/shop", "postgres://me:***@host/shop"},
        {"jdbc:postgresql://host/shop?user=me&password=s3cret&sslmode=require",
         "jdbc:postgresql://host/shop?user=me&password=***&sslmode=require"},
        {"postgres://host/shop?sslpassword=s3cret", "postgres://host/shop?sslpassword=***"},
        {"redis://:s3cret@host:6379", "redis://:***@host:6379"},
        {"jdbc:postgresql://me:s3cret@host/shop", "jdbc:postgresql://me:***@host/shop"},
        {"postgres:/me:s3cret@host/shop", "postgres:***@host/shop"},
        {"me:s3://cret@host/shop", "me:***@host/shop"},
        {"", ""},
    };
    for (const auto& [url, shown] : table) EXPECT_EQ(without_password(url), shown);
}

}  // namespace
}  // namespace trackops::sql
