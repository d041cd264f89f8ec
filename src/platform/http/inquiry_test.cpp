// A caller that is not in memory: its request waits, and nobody else's does.
#include "platform/http/inquiry.hpp"

#include <gtest/gtest.h>

#include "platform/http/conversation_fixture.hpp"

namespace trackops::http {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<const Principal> somebody(std::string name) {
    return std::make_shared<const Principal>(
        Principal{.name = std::move(name), .scopes = Scopes::all()});
}

class InquiryTest : public ::testing::Test {
protected:
    InquiryTest() { talk.host.principal = nullptr; }
    void answer(std::shared_ptr<const Principal> principal) {
        talk.host.inquiries.back()->answer(std::move(principal));
        talk.conversation.resume({});
        talk.go_on();
    }
    const Router router{holding_routes()};
    const ServerOptions options;
    Talk talk{router, options};
};

TEST_F(InquiryTest, LetsTheRequestWaitForItsCaller) {
    talk.receive("GET /hello HTTP/1.1\r\nHost: localhost\r\nX-Correlation-ID: a\r\n\r\n");
    ASSERT_EQ(talk.host.inquiries.size(), 1u);
    EXPECT_FALSE(talk.conversation.wants_input());
    EXPECT_FALSE(talk.conversation.has_expired(Conversation::Time(1h)));
    talk.conversation.resume({});
    talk.go_on();
    EXPECT_EQ(talk.out, "");
    answer(somebody("operator:ann"));
    EXPECT_EQ(talk.host.answers, 1);
    EXPECT_EQ(talk.host.callers, std::vector<std::string>{"operator:ann"});
    EXPECT_EQ(answers_of(talk.out), (std::vector<Answered>{{200, "a", "for a", false}}));
    EXPECT_TRUE(talk.conversation.wants_input());
}

TEST_F(InquiryTest, KeepsTheOrderOfRequestsAndTheirBodies) {
    talk.receive(
        "POST /body HTTP/1.1\r\nHost: localhost\r\nX-Correlation-ID: a\r\nContent-Length: 2\r\n"
        "Content-Type: application/json\r\n\r\n{");
    answer(somebody("operator:ann"));
    EXPECT_EQ(talk.out, "");
    talk.receive("}GET /hello HTTP/1.1\r\nHost: localhost\r\nX-Correlation-ID: b\r\n\r\n");
    ASSERT_EQ(talk.host.inquiries.size(), 2u);
    answer(somebody("operator:bob"));
    EXPECT_EQ(talk.host.callers, (std::vector<std::string>{"operator:ann", "operator:bob"}));
    EXPECT_EQ(answers_of(talk.out),
              (std::vector<Answered>{{200, "a", "for a", false}, {200, "b", "for b", false}}));
}

TEST_F(InquiryTest, AsksForNoBodyBeforeTheCallerIsKnown) {
    talk.receive(
        "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
        "Content-Type: application/json\r\n\r\n");
    EXPECT_EQ(talk.out, "");
    answer(somebody("operator:ann"));
    EXPECT_EQ(talk.out, "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST_F(InquiryTest, RefusesACallerWhoCannotBeAskedForWithTheReason) {
    Route route = route_for_tests("GET", "/hello");
    route.scope = Scope::authenticated;
    const Router closed({route});
    Talk asked(closed, options);
    asked.host.principal = nullptr;
    asked.receive("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    asked.host.inquiries.back()->answer(
        std::make_shared<const Principal>(Principal{.name = "nobody",
                                                    .is_authenticated = false,
                                                    .fault = "the sessions cannot be asked for now",
                                                    .fault_code = Errc::unavailable}));
    asked.conversation.resume({});
    asked.go_on();
    EXPECT_TRUE(asked.out.starts_with("HTTP/1.1 503 ")) << asked.out;
    EXPECT_TRUE(asked.out.contains("\r\nRetry-After: ")) << asked.out;
    EXPECT_TRUE(asked.host.callers.empty());
}

TEST_F(InquiryTest, TakesAnAnswerThatComesAtOnce) {
    const auto inquiry = std::make_shared<Inquiry>([] {});
    EXPECT_EQ(inquiry->answer(), nullptr);
    inquiry->answer(somebody("first"));
    inquiry->answer(somebody("second"));
    EXPECT_EQ(inquiry->answer()->name, "first");
}

TEST_F(InquiryTest, SurvivesTheEndOfItsConnection) {
    talk.receive("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    talk.conversation.abandon();
    answer(somebody("operator:ann"));
    EXPECT_EQ(talk.out, "");
    EXPECT_TRUE(talk.host.callers.empty());
}

}  // namespace
}  // namespace trackops::http
