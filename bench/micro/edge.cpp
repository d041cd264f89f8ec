// Measures what the HTTP edge does with an order: bytes to request, route, JSON to order, order to
// JSON.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/sample_order.hpp"
#include "order/adapters/order_json.hpp"
#include "order/adapters/read_requests.hpp"
#include "platform/http/idempotency_key.hpp"
#include "platform/http/route_for_tests.hpp"
#include "platform/http/router.hpp"
#include "platform/http/server_parser.hpp"
#include "platform/json/reader.hpp"
#include "platform/runtime/system_clock.hpp"

namespace trackops {
namespace {

constexpr std::string_view body =
    R"({"customerId":"0190a6de-1f3b-7c55-9f4e-2f6b7d1c0a11","currency":"GBP","items":[{"sku":"SKU-12","quantity":2,"unitAmount":6499},{"sku":"SKU-49","quantity":1,"unitAmount":1999}],"shippingAddress":{"recipient":"Ada Lovelace","line1":"12 St James Square","city":"London","region":"LDN","postalCode":"SW1Y 4JH","country":"GB"},"deliveryInstructions":"leave at the door, ring the bell twice"})";

order::domain::Order sample_order() {
    const runtime::SystemClock clock;
    runtime::RandomIds ids{clock};
    const auto record = order::domain::place(
        order::adapters::read_order_terms(body).value(), order::domain::OrderId(ids.next()),
        order::domain::SagaId(ids.next()),
        {.now = clock.now(), .actor = "anonymous", .trace = bench::trace_of(ids), .timeouts = {}});
    return record->order;
}

void parse_http_request(benchmark::State& state) {
    const std::string bytes = fmt::format(
        "POST /api/orders HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\n"
        "Content-Length: {}\r\nIdempotency-Key: bench-1234567-891011\r\n\r\n{}",
        body.size(), body);
    http::RequestParser parser(16384);
    for (auto _ : state) {
        std::string_view left = bytes;
        for (auto step = http::RequestParser::Step::need_more;
             step != http::RequestParser::Step::complete;) {
            std::size_t used = 0;
            step = parser.parse(left, used).value();
            left.remove_prefix(used);
            if (step == http::RequestParser::Step::header) (void)parser.take_body(65536, true);
        }
        benchmark::DoNotOptimize(parser.request().body.data());
        parser.next();
    }
}
BENCHMARK(parse_http_request);

void find_route(benchmark::State& state) {
    std::vector<http::Route> routes;
    for (const char* pattern :
         {"/api/orders", "/api/orders/{id}", "/api/orders/{id}/status", "/api/orders/{id}/timeline",
          "/api/sagas", "/api/sagas/{id}", "/actuator", "/actuator/health",
          "/actuator/health/{component}", "/actuator/prometheus"})
        routes.push_back(http::route_for_tests("GET", pattern));
    const http::Router router(std::move(routes));
    for (auto _ : state) {
        auto match = router.match("GET", "/api/orders/0190a6de-1f3b-7c55-9f4e-2f6b7d1c0a11/status");
        benchmark::DoNotOptimize(match);
    }
}
BENCHMARK(find_route);

void parse_json(benchmark::State& state) {
    for (auto _ : state) {
        auto document = json::Document::parse(body);
        benchmark::DoNotOptimize(document);
    }
}
BENCHMARK(parse_json);

// Includes parse_json.
void read_and_validate_order(benchmark::State& state) {
    for (auto _ : state) {
        auto terms = order::adapters::read_order_terms(body);
        benchmark::DoNotOptimize(terms);
    }
}
BENCHMARK(read_and_validate_order);

void fingerprint_body(benchmark::State& state) {
    for (auto _ : state) {
        auto fingerprint = http::fingerprint(body);
        benchmark::DoNotOptimize(fingerprint);
    }
}
BENCHMARK(fingerprint_body);

void serialise_order(benchmark::State& state) {
    const order::domain::Order order = sample_order();
    for (auto _ : state) {
        auto text = order::adapters::order_json(order);
        benchmark::DoNotOptimize(text);
    }
}
BENCHMARK(serialise_order);

}  // namespace
}  // namespace trackops
