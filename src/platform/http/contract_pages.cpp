#include "platform/http/contract_pages.hpp"

#include <array>
#include <string>

#include "platform/http/problem_page.hpp"

namespace trackops::http {
namespace {

// The pages need their own style and nothing else: no script, no request elsewhere, no frame around
// them.
constexpr std::string_view page_policy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

Response page() {
    return {.content_type = "text/html; charset=utf-8",
            .headers = {{"Content-Security-Policy", std::string(page_policy)},
                        {"Referrer-Policy", "no-referrer"}}};
}

void get_openapi(const Request&, const Reply& reply, const Contract& contract) {
    reply.send({.static_body = contract.openapi});
}

void get_docs(const Request&, const Reply& reply, const Contract& contract) {
    Response response = page();
    response.static_body = contract.docs;
    reply.send(std::move(response));
}

void get_start(const Request&, const Reply& reply, const Contract&) {
    reply.send({.status = 302, .content_type = "", .body = "", .headers = {{"Location", "/docs"}}});
}

void get_problem(const Request& request, const Reply& reply, const Contract&) {
    auto html = problem_page(request.param("code"));
    if (!html) return reply.problem({Errc::not_found, "no problem has this code"});
    Response response = page();
    response.body = *std::move(html);
    reply.send(std::move(response));
}

using Row = RouteOf<Contract>;

constexpr Row row(std::string_view pattern, Answer kind, decltype(Row::handler) handler) {
    return get_row<Contract>(pattern, Scope::everybody, kind, Work::memory, handler);
}

constexpr auto rows = std::to_array<Row>({
    row("/", Answer::text, get_start),
    row("/docs", Answer::text, get_docs),
    row("/openapi.json", Answer::json, get_openapi),
    row("/v3/api-docs", Answer::json, get_openapi),  // where Spring's tools look for it
    row("/problems/{code}", Answer::text, get_problem),
});
static_assert(is_consistent(rows));

}  // namespace

std::vector<Route> contract_routes(const Contract& contract) { return bound(rows, contract); }

std::vector<Route> contract_route_table() { return unbound(rows); }

}  // namespace trackops::http
