// The text of a session, its id, and the cookie.
#include "platform/access/session.hpp"

#include <gtest/gtest.h>

#include "platform/access/session_cookie.hpp"

namespace trackops::access {
namespace {

const Session ann{.operator_name = "ann",
                  .mark = "0123456789abcdef0123456789abcdef",
                  .created_at = {1'700'000'000'000'000},
                  .ends_at = {1'700'000'043'200'000},
                  .from = "2001:db8::1"};

TEST(SessionText, IsReadBack) { EXPECT_EQ(parse_session(text_of(ann)), ann); }

TEST(SessionText, IsRefusedWhenItIsAnother) {
    const std::string text = text_of(ann);
    for (const std::string& bad :
         {std::string(), std::string("2") + text.substr(1), text + "\n", text.substr(0, 20),
          text.substr(0, text.rfind('\n')), std::string("1\n\nm\n1\n2\n"),
          std::string("1\nann\nm\nx\n2\n"), std::string("1\nann\nm\n1\n2x\n"),
          std::string("1\n-ann\nm\n1\n2\n")})
        EXPECT_EQ(parse_session(bad), std::nullopt) << bad;
}

TEST(SessionId, IsLongNewAndNotItsHandle) {
    const Secret one = make_session_id();
    const Secret other = make_session_id();
    EXPECT_EQ(one.reveal().size(), 64u);
    EXPECT_NE(one.reveal(), other.reveal());
    const std::string handle = handle_of(key_of_session(one.reveal()));
    EXPECT_TRUE(is_session_handle(handle));
    EXPECT_FALSE(one.reveal().contains(handle));
    EXPECT_NE(handle, handle_of(key_of_session(other.reveal())));
    for (const char* bad : {"", "current", "0123456789ABCDEF0123456789ABCDEF", "0"})
        EXPECT_FALSE(is_session_handle(bad)) << bad;
}

TEST(SessionMark, ChangesWithEachPartOfTheOperator) {
    const Operator one{.name = "ann", .password_hash = "$a", .role = Role::clerk};
    Operator other = one;
    EXPECT_EQ(mark_of(one), mark_of(other));
    other.role = Role::admin;
    EXPECT_NE(mark_of(one), mark_of(other));
    other = one;
    other.password_hash = "$b";
    EXPECT_NE(mark_of(one), mark_of(other));
}

std::string found(const std::vector<std::string>& headers, bool is_secure = false) {
    http::Request request;
    for (const std::string& value : headers) request.headers.emplace_back("cookie", value);
    request.context.is_secure = is_secure;
    const SessionCookie cookie = find_session_cookie(request);
    if (cookie.state == CookieState::given) return std::string(cookie.id.substr(0, 2));
    return cookie.state == CookieState::absent ? "absent" : "malformed";
}

TEST(SessionCookie, IsFoundAmongOthers) {
    const std::string a(64, 'a');
    const std::string b(64, 'b');
    EXPECT_EQ(found({}), "absent");
    EXPECT_EQ(found({"trackops=" + a}), "aa");
    EXPECT_EQ(found({"x=1; trackops=" + a + "; y=trackops=" + b}), "aa");
    EXPECT_EQ(found({"trackopsx=" + a + ";xtrackops=" + b + "; ;=; trackops"}), "absent");
    // Of two cookies, another program of this host may have set one.
    EXPECT_EQ(found({"trackops=" + a + "; trackops=" + b}), "malformed");
    EXPECT_EQ(found({"trackops=" + a, "trackops=" + a}), "malformed");
    for (const std::string& bad : {std::string(), a + "a", a.substr(1), std::string(64, 'A'),
                                   std::string(64, 'g'), a.substr(1) + " "})
        EXPECT_EQ(found({"trackops=" + bad}), "malformed") << bad;
}

TEST(SessionCookie, HasTheNameThatFitsTheConnection) {
    const std::string a(64, 'a');
    EXPECT_EQ(found({"__Host-trackops=" + a}, true), "aa");
    EXPECT_EQ(found({"__Host-trackops=" + a}, false), "absent");
    EXPECT_EQ(found({"trackops=" + a}, true), "absent");
    EXPECT_EQ(set_session_cookie(Secret(a), false, std::chrono::hours(12)),
              "trackops=" + a + "; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
    EXPECT_EQ(
        set_session_cookie(Secret(a), true, std::chrono::hours(12)),
        "__Host-trackops=" + a + "; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure");
    EXPECT_EQ(clear_session_cookie(true),
              "__Host-trackops=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure");
}

}  // namespace
}  // namespace trackops::access
