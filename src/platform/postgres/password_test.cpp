// Tests the sources of a password, and that only the server receives it.
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
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"

namespace trackops::sql {
namespace {

using namespace std::string_view_literals;
using ::testing::HasSubstr;
using ::testing::Not;

// A server that asks one client for its password in clear text and then refuses it.
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
    // Serves one client and returns its password message.
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
        static_assert(refuse.size() == 1 + 0x1a);  // the length covers all but the type byte
        ::send(client, refuse.data(), refuse.size(), 0);
        ::close(client);
        return {said.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
    }

    const int listener_;
    std::uint16_t port_ = 0;
    std::future<std::string> heard_;
};

// The bytes that the server received, and the text that the caller got.
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

}  // namespace
}  // namespace trackops::sql
