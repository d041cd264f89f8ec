// The file of an operator's own session: who may read it, and where its cookie goes.
#include "platform/access/client_session.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hex.hpp"
#include "platform/access/digest.hpp"
#include "testing/databases.hpp"

namespace trackops::access {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr Instant noon{1'700'000'000'000'000};
constexpr Instant evening{noon.micros + 3'600'000'000};

http_client::Server server(std::string_view url) {
    return http_client::parse_server(url, "server URL").value();
}

class ClientSessionFile : public ::testing::Test {
protected:
    ClientSession session(std::string_view url) const {
        return {server(url), "ann", "trackops", Secret(hex(sha256("x"))), evening};
    }
    std::string fault(std::string_view url) const {
        const auto read = read_client_session(folder_, server(url));
        return read ? "" : read.error().detail;
    }
    void spoil(const std::string& text) const {
        std::ofstream(session_path(folder_, server("http://a:1"))) << text;
    }

    const testing::TemporaryFolder temporary_;
    const fs::path folder_ = fs::path(temporary_.path()) / "x" / "sessions";
};

TEST_F(ClientSessionFile, KeepsTheSessionOfEachServer) {
    EXPECT_FALSE(read_client_session(folder_, server("http://a:1")).value());
    write_client_session(folder_, session("http://a:1"));
    write_client_session(folder_, session("https://[::1]:2"));
    const auto read = read_client_session(folder_, server("https://[::1]:2")).value();
    ASSERT_TRUE(read);
    EXPECT_EQ(read->operator_name, "ann");
    EXPECT_EQ(read->cookie_name, "trackops");
    EXPECT_EQ(read->id.reveal(), hex(sha256("x")));
    EXPECT_EQ(read->ends_at, evening);
    EXPECT_FALSE(read_client_session(folder_, server("http://a:2")).value());
    remove_client_session(folder_, server("http://a:1"));
    remove_client_session(folder_, server("http://a:1"));
    EXPECT_FALSE(read_client_session(folder_, server("http://a:1")).value());
    EXPECT_TRUE(read_client_session(folder_, server("https://[::1]:2")).value());
}

TEST_F(ClientSessionFile, IsForItsOwnerAlone) {
    write_client_session(folder_, session("http://a:1"));
    const fs::path path = session_path(folder_, server("http://a:1"));
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(fs::status(folder_).permissions(), fs::perms::owner_all);
    fs::permissions(path, fs::perms::group_read, fs::perm_options::add);
    EXPECT_THAT(fault("http://a:1"), HasSubstr("may be read by others"));
}

TEST_F(ClientSessionFile, IsRefusedWhenItIsNotOneOfOurs) {
    write_client_session(folder_, session("http://a:1"));
    EXPECT_EQ(fault("http://a:1"), "");
    const std::string id = hex(sha256("x"));
    for (const std::string& bad :
         {std::string(""), std::string("{}"),
          // A cookie header could be made to hold more.
          R"({"server":"http://a:1","operator":"ann","cookieName":"x\r\nY","id":")" + id +
              R"(","endsAt":"2030-01-01T00:00:00Z"})",
          std::string(R"({"server":"http://a:1","operator":"ann","cookieName":"trackops",)"
                      R"("id":"a; b","endsAt":"2030-01-01T00:00:00Z"})"),
          R"({"server":"http://b:1","operator":"ann","cookieName":"trackops","id":")" + id +
              R"(","endsAt":"2030-01-01T00:00:00Z"})",
          R"({"server":"http://a:1","operator":"ann","cookieName":"trackops","id":")" + id +
              R"(","endsAt":"tomorrow"})"}) {
        spoil(bad);
        EXPECT_THAT(fault("http://a:1"), HasSubstr("log in anew")) << bad;
        EXPECT_THAT(fault("http://a:1"), ::testing::Not(HasSubstr(id))) << bad;
    }
}

TEST(ClientSessionCookie, GoesToTheHostThatMadeItUntilItsEnd) {
    const ClientSession session{server("https://shop.example:8443"), "ann", "__Host-trackops",
                                Secret("ab"), evening};
    const auto cookie = [&](std::string_view url, Instant now = noon) {
        return cookie_for(session, server(url), now).reveal();
    };
    EXPECT_EQ(cookie("https://shop.example:8443"), "__Host-trackops=ab");
    EXPECT_EQ(cookie("https://shop.example:9443"), "__Host-trackops=ab") << "as every cookie";
    EXPECT_EQ(cookie("http://shop.example:8443"), "");
    EXPECT_EQ(cookie("https://other.example:8443"), "");
    EXPECT_EQ(cookie("https://shop.example:8443", evening), "");
}

TEST(ClientSessionFolder, IsWhereTheDesktopSays) {
    const auto folder = [](const std::vector<std::string>& environment) {
        const auto found = session_folder(environment);
        return found ? found->string() : "none";
    };
    EXPECT_EQ(folder({"HOME=/h", "XDG_CONFIG_HOME=/c"}), "/c/trackops/sessions");
    EXPECT_EQ(folder({"HOME=/h", "XDG_CONFIG_HOME=relative"}), "/h/.config/trackops/sessions");
    EXPECT_EQ(folder({"HOME=/h"}), "/h/.config/trackops/sessions");
    EXPECT_EQ(folder({"HOMES=/h"}), "none");
}

}  // namespace
}  // namespace trackops::access
