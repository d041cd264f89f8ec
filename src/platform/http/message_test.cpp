#include "platform/http/message.hpp"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

#include "platform/http/problem.hpp"
#include "platform/http/target.hpp"
#include "platform/http/trace_context.hpp"
#include "platform/json/reader.hpp"
#include "platform/telemetry/metrics.hpp"
#include "platform/telemetry/tracer.hpp"
#include "testing/fakes.hpp"

namespace trackops::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(Target, IsDecodedOnce) {
    const auto target = parse_target("/a%20b/%2541/x%2Fy?q=a+b%2Bc&empty=&flag&&q=%C3%A9%26");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->encoded_path, "/a%20b/%2541/x%2Fy");
    EXPECT_EQ(target->path, "/a b/%41/x/y");
    EXPECT_EQ(target->query,
              (Pairs{{"q", "a b+c"}, {"empty", ""}, {"flag", ""}, {"q", "\xc3\xa9&"}}));
}

TEST(Target, MayBeAWholeUrl) {
    const auto whole = parse_target("http://host:8080/a?b=c");
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->authority, "host:8080");
    EXPECT_EQ(whole->path, "/a");
    EXPECT_EQ(whole->query, (Pairs{{"b", "c"}}));
    EXPECT_EQ(parse_target("https://host/")->authority, "host");
    EXPECT_EQ(parse_target("http://host")->path, "/");
    EXPECT_EQ(parse_target("http://host")->encoded_path, "/");
    EXPECT_EQ(parse_target("http://host?b=/c")->path, "/");
    EXPECT_EQ(parse_target("http://host?b=/c")->query, (Pairs{{"b", "/c"}}));
    EXPECT_EQ(parse_target("/a")->authority, "");
    EXPECT_EQ(parse_target("/")->path, "/");
    EXPECT_EQ(parse_target("/?")->query, Pairs{});
}

TEST(Target, HasItsPathWithoutASlashAtTheEnd) {
    EXPECT_EQ(parse_target("/a/b/?c=/")->path, "/a/b");
    EXPECT_EQ(parse_target("/a/b/?c=/")->encoded_path, "/a/b");
    EXPECT_EQ(parse_target("http://host/a/")->path, "/a");
    EXPECT_EQ(parse_target("/a//")->path, "/a/");
    EXPECT_EQ(parse_target("/a/%2F")->path, "/a//");
    EXPECT_EQ(parse_target("/")->encoded_path, "/");
}

TEST(Target, ThatIsNoneIsMalformed) {
    for (const auto* text :
         {"",      "*",       "a",          "host:80", "ftp://h/", "http:///a", "/a#b",
          "/%",    "/%4",     "/%4g",       "/%g4",    "/a?b=%",   "/a?%zz=1",  "/%ff",
          "/\xff", "/%c0%80", "/%ed%a0%80", "/%00",    "/a%0Ab",   "/?a=%7f",   "/?a=%ff"}) {
        const auto target = parse_target(text);
        ASSERT_FALSE(target) << text;
        EXPECT_EQ(target.error().code, Errc::malformed) << text;
    }
}

// A query of 16 KiB can hold thousands of parameters; every step after the parser may count on this
// limit.
TEST(Target, HasALimitOfParameters) {
    std::string text = "/a?a";
    for (std::size_t i = 1; i < query_parameters_max; ++i) text += "&a";
    const auto largest = parse_target(text + "&&&");
    ASSERT_TRUE(largest);
    EXPECT_EQ(largest->query.size(), query_parameters_max);
    const auto larger = parse_target(text + "&a");
    ASSERT_FALSE(larger);
    EXPECT_EQ(larger.error().code, Errc::invalid);
    EXPECT_EQ(larger.error().detail, "a query may have 512 parameters at most");
    // Nothing after the first parameter that is too many is read.
    EXPECT_EQ(parse_target(text + "&a&%").error().code, Errc::invalid);
}

TEST(Query, TellsARepeatedNameOnceHoweverOftenItOccurs) {
    Request request;
    for (std::size_t i = 0; i < query_parameters_max; ++i) {
        request.query.emplace_back(i % 2 == 0 ? "limit" : "lmit", "");
    }
    EXPECT_EQ(
        check_query(request, {"limit"}).error().fields,
        (std::vector<FieldError>{{"lmit", "is not known here; did you mean limit?", "unknown"},
                                 {"limit", "may be given once only", "repeated"}}));
}

TEST(Query, NamesEveryFaultAtOnce) {
    Request request;
    request.query = {{"limit", "1"}, {"sku", "a"},  {"sku", "b"}, {"limit", "2"},
                     {"limit", "3"}, {"lmit", "1"}, {"lmit", "2"}};
    const auto checked = check_query(request, {"limit", "sku"}, {"sku"});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, Errc::invalid);
    EXPECT_EQ(
        checked.error().fields,
        (std::vector<FieldError>{{"limit", "may be given once only", "repeated"},
                                 {"lmit", "is not known here; did you mean limit?", "unknown"}}));
    request.query = {{"limit", "1"}, {"sku", "a"}, {"sku", "b"}};
    EXPECT_TRUE(check_query(request, {"limit", "sku"}, {"sku"}));
}

TEST(Query, StopsCountingFaults) {
    Request request;
    for (int i = 0; i < 1000; ++i) request.query.emplace_back("name" + std::to_string(i), "");
    EXPECT_EQ(check_query(request, {}).error().fields.size(), query_faults_max);
}

TEST(Request, AnswersByName) {
    Request request{.query = {{"a", "1"}, {"a", "2"}}};
    request.params = {{"id", "7"}};
    request.headers = {{"if-match", "\"1\""}};
    EXPECT_EQ(request.param("id"), "7");
    EXPECT_THROW(request.param("other"), std::logic_error);
    EXPECT_EQ(request.query_value("a"), "1");
    EXPECT_EQ(request.query_value("b"), std::nullopt);
    EXPECT_EQ(request.header("if-match"), "\"1\"");
    EXPECT_EQ(request.header("etag"), std::nullopt);
    EXPECT_EQ(request.context.trace_id(), "");
}

const Uuid fresh = *Uuid::parse("018bcfe5-687b-7abc-8123-456789abcdef");

Request identified(Pairs headers) {
    Request request;
    request.headers = std::move(headers);
    set_trace_context(request, fresh, nullptr);
    return request;
}

TEST(Identity, IsSampledAsTheTracerDecides) {
    const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-";
    const auto flags = [](telemetry::Sampling sampling, Pairs headers) {
        telemetry::Registry metrics;
        const trackops::testing::FakeClock clock;
        const telemetry::Tracer tracer({.sampling = sampling}, clock, metrics);
        Request request;
        request.headers = std::move(headers);
        set_trace_context(request, fresh, &tracer);
        std::string written;
        telemetry::write_traceparent(request.context.span, written);
        EXPECT_EQ(written, request.context.traceparent);
        return request.context.traceparent.substr(53);
    };
    EXPECT_EQ(flags({.ratio = 1}, {}), "01");
    EXPECT_EQ(flags({.ratio = 0}, {}), "00");
    EXPECT_EQ(flags({.ratio = 0}, {{"traceparent", parent + "01"}}), "01");
    EXPECT_EQ(flags({.ratio = 1}, {{"traceparent", parent + "00"}}), "00");
    // A flag that is not ours stays (random-trace-id of level 2).
    EXPECT_EQ(flags({.ratio = 1, .follows_parent = false}, {{"traceparent", parent + "02"}}), "03");
    EXPECT_EQ(flags({.ratio = 0, .follows_parent = false}, {{"traceparent", parent + "03"}}), "02");
}

TEST(Identity, IsMadeWhereNoneWasSent) {
    const auto request = identified({{"host", "x"}, {"tracestate", "a=b"}});
    EXPECT_EQ(request.context.correlation_id, "018bcfe5-687b-7abc-8123-456789abcdef");
    EXPECT_EQ(request.context.traceparent,
              "00-018bcfe5687b7abc8123456789abcdef-8123456789abcdef-00");
    EXPECT_EQ(request.context.trace_id(), "018bcfe5687b7abc8123456789abcdef");
    EXPECT_EQ(request.context.tracestate, "");
}

TEST(Identity, GoesOnWithWhatWasSent) {
    const auto request =
        identified({{"x-correlation-id", "abc~!"},
                    {"tracestate", "a=1"},
                    {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"},
                    {"tracestate", "b=2"}});
    EXPECT_EQ(request.context.correlation_id, "abc~!");
    EXPECT_EQ(request.context.traceparent,
              "00-4bf92f3577b34da6a3ce929d0e0e4736-8123456789abcdef-00");
    EXPECT_EQ(request.context.tracestate, "a=1,b=2");
    EXPECT_EQ(identified(
                  {{"traceparent", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"}})
                  .context.trace_id(),
              "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_EQ(identified({{"x-correlation-id", std::string(128, 'x')}}).context.correlation_id,
              std::string(128, 'x'));
}

TEST(Identity, IsNeverTakenFromWhatIsNotAsItShouldBe) {
    for (const std::string& id : {std::string(), std::string("a b"), std::string(129, 'x'),
                                  std::string("a\xc3\xa9"), std::string("a\tb")}) {
        EXPECT_EQ(identified({{"x-correlation-id", id}}).context.correlation_id, fresh.text())
            << id;
    }
    EXPECT_EQ(
        identified({{"x-correlation-id", "a"}, {"x-correlation-id", "b"}}).context.correlation_id,
        fresh.text());
    const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (const std::string& parent :
         {std::string(), good.substr(1), good + "-more", good + "x", "ff" + good.substr(2),
          "0G" + good.substr(2),
          std::string("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
          std::string("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
          std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"),
          std::string("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")}) {
        EXPECT_EQ(identified({{"traceparent", parent}}).context.trace_id(),
                  "018bcfe5687b7abc8123456789abcdef")
            << parent;
    }
    EXPECT_EQ(identified({{"traceparent", good}, {"traceparent", good}}).context.trace_id(),
              "018bcfe5687b7abc8123456789abcdef");
    EXPECT_EQ(identified({{"traceparent", good}, {"tracestate", "a=1,\t b=2"}}).context.tracestate,
              "a=1,\t b=2");
    for (const std::string& state :
         {std::string(513, 'x'), std::string("a=\xc3\xa9"), std::string("a=\xff"),
          std::string("a=\x01"), std::string("a=\x7f"), std::string("a=\0b", 4)}) {
        EXPECT_EQ(identified({{"traceparent", good}, {"tracestate", "a=1"}, {"tracestate", state}})
                      .context.tracestate,
                  "")
            << state;
    }
}

constexpr auto expected_problems = R"(
malformed              400 malformed-request
invalid                422 invalid-request
unauthorized           401 unauthorized
forbidden              403 forbidden
not_found              404 not-found
method_not_allowed     405 method-not-allowed
conflict               409 conflict
illegal_transition     409 illegal-transition
precondition_failed    412 precondition-failed
precondition_required  428 precondition-required
key_reused             422 idempotency-key-reused
too_large              413 too-large
header_too_large       431 header-too-large
unsupported_media_type 415 unsupported-media-type
misdirected            421 misdirected-request
timeout                408 request-timeout
rate_limited           429 rate-limited               retry
overloaded             503 overloaded                 retry
unavailable            503 unavailable                retry  masked
outcome_unknown        503 outcome-unknown            retry
internal               500 internal-error             masked
)";

TEST(Problem, OfEveryErrcIsAsTheTableSays) {
    Request request{.method = "GET", .path = "/api/a b/\xc3\xa9"};
    request.context.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    std::istringstream lines(expected_problems);
    std::string line;
    std::size_t count = 0;
    while (std::getline(lines, line)) {
        if (line.empty()) continue;
        std::istringstream words(line);
        std::string errc;
        std::string code;
        int status = 0;
        words >> errc >> status >> code;
        const auto says = [&](const char* word) { return line.find(word) != std::string::npos; };
        const auto kind = static_cast<Errc>(count++);
        const Response response = problem({kind, "what happened"}, request);
        EXPECT_EQ(response.status, status) << errc;
        EXPECT_EQ(status_of(kind), status) << errc;
        EXPECT_EQ(code_of(kind), code) << errc;
        EXPECT_EQ(response.content_type, "application/problem+json");
        const bool retries = std::ranges::any_of(
            response.headers, [](const auto& header) { return header.first == "Retry-After"; });
        EXPECT_EQ(retries, says(" retry")) << errc;
        const auto body = json::Document::parse(response.body);
        ASSERT_TRUE(body) << response.body;
        const auto text = [&](const char* name) {
            return std::string(body->root().find(name).value().text().value());
        };
        EXPECT_EQ(text("type"), "https://trackops.dev/problems/" + code);
        EXPECT_FALSE(text("title").empty());
        EXPECT_EQ(body->root().find("status")->integer(), status);
        EXPECT_EQ(text("detail") == "what happened", !says("masked")) << errc;
        EXPECT_EQ(text("instance"), "/api/a%20b/%C3%A9");
        EXPECT_EQ(text("code"), code);
        EXPECT_EQ(text("traceId"), "4bf92f3577b34da6a3ce929d0e0e4736");
        EXPECT_FALSE(body->root().find("errors"));
    }
    EXPECT_EQ(count, errc_count);
}

TEST(Problem, ListsEveryFault) {
    const auto response =
        problem({Errc::invalid,
                 "no",
                 {{"/items/0/sku", "is required", "required"}, {"", "must be an object", "type"}}},
                {});
    EXPECT_NE(
        response.body.find(
            R"("errors":[{"pointer":"/items/0/sku","detail":"is required","code":"required"},)"
            R"({"pointer":"","detail":"must be an object","code":"type"}])"),
        std::string::npos)
        << response.body;
}

}  // namespace
}  // namespace trackops::http
