#include "platform/http/authorise.hpp"

#include <gtest/gtest.h>

#include "platform/http/conversation_fixture.hpp"

namespace trackops::http {
namespace {

Route with_scope(Scope scope) {
    Route route = route_for_tests("GET", "/hello");
    route.scope = scope;
    return route;
}

TEST(Authorise, AsksForTheScopeOfTheRoute) {
    const Principal reader{.name = "reader", .scopes = {Scope::orders_read}};
    for (std::size_t i = 0; i < scope_count; ++i) {
        const auto scope = static_cast<Scope>(i);
        const Route route = with_scope(scope);
        EXPECT_EQ(authorise(route, *local_principal()), std::nullopt) << name_of(scope);
        const std::string detail = "this needs the scope " + std::string(name_of(scope));
        const auto refused = authorise(route, reader);
        const auto unknown = authorise(route, *nobody());
        if (scope == Scope::everybody) {
            EXPECT_EQ(refused, std::nullopt);
            EXPECT_EQ(unknown, std::nullopt);
        } else if (scope == Scope::authenticated) {
            EXPECT_EQ(refused, std::nullopt);
            EXPECT_EQ(unknown, (Error{Errc::unauthorized, "this needs credentials"}));
        } else {
            EXPECT_EQ(unknown, (Error{Errc::unauthorized, detail}));
            if (scope == Scope::orders_read) {
                EXPECT_EQ(refused, std::nullopt);
            } else {
                EXPECT_EQ(refused, (Error{Errc::forbidden, detail}));
            }
        }
    }
}

TEST(BodyRefusal, LetsAPatchBeAMergePatchByEitherName) {
    const auto code_of = [](const char* method, const char* type) {
        Route route = route_for_tests(method, "/hello");
        route.body = Body::json;
        Request request;
        request.method = method;
        request.headers = {{"content-type", type}};
        const auto refusal = body_refusal(route, request);
        return refusal ? refusal->code : Errc::internal;
    };
    EXPECT_EQ(code_of("PATCH", "application/json"), Errc::internal);
    EXPECT_EQ(code_of("PATCH", "application/merge-patch+json; charset=utf-8"), Errc::internal);
    EXPECT_EQ(code_of("PATCH", "application/json-patch+json"), Errc::unsupported_media_type);
    EXPECT_EQ(code_of("POST", "application/merge-patch+json"), Errc::unsupported_media_type);
}

TEST(Authorise, AdmitsACustomerWhereTheRowKeepsToItsOrders) {
    const Principal customer{
        .name = "customer:c1", .scopes = {Scope::orders_own}, .customer_id = "c1"};
    Route route = with_scope(Scope::orders_read);
    EXPECT_EQ(authorise(route, customer)->code, Errc::forbidden);
    route.is_for_own_customer = true;
    EXPECT_EQ(authorise(route, customer), std::nullopt);
    // Neither the scope nor the customer is enough alone.
    EXPECT_EQ(authorise(route, {.name = "a", .scopes = {Scope::orders_own}})->code,
              Errc::forbidden);
    EXPECT_EQ(authorise(route, {.name = "a", .customer_id = "c1"})->code, Errc::forbidden);
}

class AuthorisedConversation : public ::testing::Test {
protected:
    std::string ask(Scope scope, std::shared_ptr<const Principal> principal) {
        const Router router({with_scope(scope)});
        const ServerOptions options;
        Talk talk(router, options);
        talk.host.principal = std::move(principal);
        talk.receive("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
        return talk.out;
    }
};

TEST_F(AuthorisedConversation, AnswersACallerWithoutTheScope) {
    const auto reader = std::make_shared<const Principal>(
        Principal{.name = "reader", .scopes = {Scope::orders_read}});
    EXPECT_TRUE(ask(Scope::orders_read, reader).starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(ask(Scope::operate, local_principal()).starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(ask(Scope::everybody, nobody()).starts_with("HTTP/1.1 200 OK\r\n"));
    const std::string forbidden = ask(Scope::operate, reader);
    EXPECT_TRUE(forbidden.starts_with("HTTP/1.1 403 Forbidden\r\n")) << forbidden;
    EXPECT_NE(forbidden.find("this needs the scope operate"), std::string::npos) << forbidden;
    EXPECT_EQ(forbidden.find("WWW-Authenticate"), std::string::npos) << forbidden;
    const std::string unknown = ask(Scope::orders_read, nobody());
    EXPECT_TRUE(unknown.starts_with("HTTP/1.1 401 Unauthorized\r\n")) << unknown;
    EXPECT_NE(unknown.find("\r\nWWW-Authenticate: Bearer realm=\"trackops\"\r\n"),
              std::string::npos)
        << unknown;
}

TEST_F(AuthorisedConversation, TellsACallerWhyItsCredentialsWereRefused) {
    const auto refused = std::make_shared<const Principal>(
        Principal{.name = "nobody", .is_authenticated = false, .fault = "the key is not known"});
    const std::string answer = ask(Scope::operate, refused);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n")) << answer;
    EXPECT_NE(
        answer.find("\r\nWWW-Authenticate: Bearer realm=\"trackops\", "
                    "error=\"invalid_token\", error_description=\"the key is not known\"\r\n"),
        std::string::npos)
        << answer;
    EXPECT_NE(answer.find(R"("detail":"the key is not known")"), std::string::npos) << answer;
    EXPECT_TRUE(ask(Scope::everybody, refused).starts_with("HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace trackops::http
