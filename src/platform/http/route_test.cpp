#include "platform/http/route.hpp"

#include <gtest/gtest.h>

namespace trackops::http {
namespace {

struct Nothing {};
using Row = RouteOf<Nothing>;

void answer(const Request&, const Reply& reply, const Nothing&) { reply.json(200, "{}"); }

constexpr Row row(std::string_view method, std::string_view pattern) {
    return {.method = method,
            .pattern = pattern,
            .scope = Scope::everybody,
            .body = Body::none,
            .answer = Answer::json,
            .idempotency = Idempotency::none,
            .work = Work::memory,
            .handler = answer};
}

// A row compiles when it names every member, and does not when it leaves one out.
// clang-format off
template <class R>
constexpr bool whole = requires { R{.method = "GET", .pattern = "/", .scope = Scope::everybody,
    .body = Body::none, .answer = Answer::json, .idempotency = Idempotency::none, .work = Work::memory, .handler = {}}; };
template <class R>
constexpr bool without_scope = requires { R{.method = "GET", .pattern = "/",
    .body = Body::none, .answer = Answer::json, .idempotency = Idempotency::none, .work = Work::memory, .handler = {}}; };
template <class R>
constexpr bool without_body = requires { R{.method = "GET", .pattern = "/", .scope = Scope::everybody,
    .answer = Answer::json, .idempotency = Idempotency::none, .work = Work::memory, .handler = {}}; };
template <class R>
constexpr bool without_answer = requires { R{.method = "GET", .pattern = "/", .scope = Scope::everybody,
    .body = Body::none, .idempotency = Idempotency::none, .work = Work::memory, .handler = {}}; };
template <class R>
constexpr bool without_idempotency = requires { R{.method = "GET", .pattern = "/", .scope = Scope::everybody,
    .body = Body::none, .answer = Answer::json, .work = Work::memory, .handler = {}}; };
template <class R>
constexpr bool without_work = requires { R{.method = "GET", .pattern = "/", .scope = Scope::everybody,
    .body = Body::none, .answer = Answer::json, .idempotency = Idempotency::none, .handler = {}}; };
// clang-format on
static_assert(whole<Route> && whole<Row>);
static_assert(!without_scope<Route> && !without_scope<Row>);
static_assert(!without_body<Route> && !without_body<Row>);
static_assert(!without_answer<Route> && !without_answer<Row>);
static_assert(!without_idempotency<Route> && !without_idempotency<Row>);
static_assert(!without_work<Route> && !without_work<Row>);

constexpr Row with(Row row, void (*change)(Row&)) {
    change(row);
    return row;
}

// clang-format off
static_assert(is_consistent(std::to_array({row("GET", "/a"), row("POST", "/a"), row("GET", "/b")})));
static_assert(!is_consistent(std::to_array({row("GET", "/a"), row("GET", "/a")})));
static_assert(!is_consistent(std::to_array({row("GET", "a")})));
#ifndef __SANITIZE_ADDRESS__  // see is_consistent()
static_assert(!is_consistent(std::to_array({with(row("GET", "/a"), [](Row& r) { r.handler = nullptr; })})));
#endif
static_assert(!is_consistent(std::to_array({with(row("GET", "/a"), [](Row& r) { r.body = Body::json; })})));
static_assert(!is_consistent(std::to_array({with(row("GET", "/a"), [](Row& r) { r.idempotency = Idempotency::optional; })})));
static_assert(!is_consistent(std::to_array({with(row("POST", "/a"), [](Row& r) { r.body_bytes_max = 1; })})));
static_assert(!is_consistent(std::to_array({with(row("POST", "/a"), [](Row& r) { r.body_optional = true; })})));
static_assert(is_consistent(std::to_array({with(row("POST", "/a"), [](Row& r) { r.body = Body::json; r.body_bytes_max = 1; r.body_optional = true; })})));
// clang-format on

TEST(Routes, KeepTheMembersOfTheirRows) {
    constexpr auto rows = std::to_array<Row>({{.method = "POST",
                                               .pattern = "/a",
                                               .scope = Scope::operate,
                                               .body = Body::ndjson_stream,
                                               .answer = Answer::text,
                                               .idempotency = Idempotency::required,
                                               .work = Work::bulk,
                                               .handler = answer,
                                               .body_bytes_max = 7,
                                               .body_optional = true}});
    for (const auto& routes : {bound(rows, Nothing{}), unbound(rows)}) {
        ASSERT_EQ(routes.size(), 1u);
        const Route& route = routes.front();
        EXPECT_EQ(route.method, "POST");
        EXPECT_EQ(route.pattern, "/a");
        EXPECT_EQ(name_of(route.scope), "operate");
        EXPECT_EQ(name_of(route.body), "ndjson-stream");
        EXPECT_EQ(name_of(route.answer), "text");
        EXPECT_EQ(name_of(route.idempotency), "required");
        EXPECT_EQ(name_of(route.work), "bulk");
        EXPECT_EQ(route.body_bytes_max, 7u);
        EXPECT_TRUE(route.body_optional);
    }
    EXPECT_TRUE(bound(rows, Nothing{}).front().handler);
    EXPECT_FALSE(unbound(rows).front().handler);
}

TEST(Scopes, ContainWhatTheyWereMadeOf) {
    constexpr Scopes reader{Scope::orders_read, Scope::relay_read};
    static_assert(reader.contains(Scope::orders_read) && reader.contains(Scope::relay_read));
    static_assert(reader.contains(Scope::everybody) && Scopes{}.contains(Scope::everybody));
    static_assert(!reader.contains(Scope::orders_write) && !Scopes{}.contains(Scope::admin));
    for (std::size_t i = 0; i < scope_count; ++i) {
        const auto scope = static_cast<Scope>(i);
        EXPECT_TRUE(local_principal()->scopes.contains(scope)) << name_of(scope);
        EXPECT_EQ(nobody()->scopes.contains(scope), scope == Scope::everybody) << name_of(scope);
        const auto named = scope_named(name_of(scope));
        const bool is_given = scope != Scope::everybody && scope != Scope::authenticated;
        EXPECT_EQ(named.has_value(), is_given) << name_of(scope);
        EXPECT_EQ(named.value_or(scope), scope);
    }
    EXPECT_FALSE(scope_named("orders"));
    EXPECT_FALSE(scope_named(""));
}

TEST(Scopes, AreComparedAndJoinedAsSets) {
    Scopes reader{Scope::orders_read};
    EXPECT_TRUE(reader.contains(Scopes{}));
    EXPECT_FALSE(reader.contains(Scopes{Scope::orders_read, Scope::relay_read}));
    reader.add({Scope::relay_read});
    EXPECT_EQ(reader, (Scopes{Scope::orders_read, Scope::relay_read}));
    EXPECT_TRUE(Scopes::all().contains(reader));
    EXPECT_FALSE(reader.contains(Scopes::all()));
}

}  // namespace
}  // namespace trackops::http
