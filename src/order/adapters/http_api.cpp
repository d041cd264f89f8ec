#include "order/adapters/http_api.hpp"

#include <fmt/format.h>

#include "order/adapters/order_json.hpp"
#include "order/adapters/read_requests.hpp"
#include "platform/http/page.hpp"
#include "platform/idempotency/keys.hpp"
#include "platform/json/writer.hpp"

namespace trackops::order::adapters {
namespace {

using http::Reply;
using http::Request;
using http::Response;

constexpr std::string_view anonymous = "anonymous";  // until the security work lands

Result<domain::OrderId> read_order_id(const Request& request) {
    const auto id = domain::OrderId::parse(request.param("id"));
    if (!id) return fail(Errc::not_found, "no order has this id");
    return *id;
}

Trace trace_of(const Request& request) {
    return {request.correlation_id, request.correlation_id, request.traceparent,
            request.tracestate};
}

// Scoped by caller and concrete route, so that one key may serve different calls.
Result<std::optional<IdempotencyKey>> read_key(const Request& request) {
    auto key = TRY(idempotency::read_key(request.header("idempotency-key")));
    if (!key) return std::optional<IdempotencyKey>();
    return std::optional(
        IdempotencyKey{fmt::format("{} {} {}", anonymous, request.method, request.path),
                       *std::move(key), idempotency::fingerprint(request.body)});
}

Response order_response(int status, const domain::Order& order) {
    Response response{
        .status = status, .body = order_json(order), .headers = {{"ETag", etag_of(order)}}};
    if (status == 201) response.headers.emplace_back("Location", path_of(order.id));
    return response;
}

Response recorded_response(const RecordedResponse& recorded) {
    Response response{.status = recorded.status,
                      .body = recorded.body,
                      .headers = {{"ETag", recorded.etag}, {"Idempotency-Replayed", "true"}}};
    if (!recorded.location.empty()) response.headers.emplace_back("Location", recorded.location);
    return response;
}

// The answer to whatever changed one order: what was recorded under its key, or the order as it is.
void answer_change(const Reply& reply, int status, const Result<app::SaveResult>& receipt,
                   OrderCache& cache) {
    if (!receipt) return reply.problem(receipt.error());
    if (receipt->recorded) return reply.send(recorded_response(*receipt->recorded));
    cache.put(receipt->order);
    reply.send(order_response(status, receipt->order));
}

// The answer to a placed order that may wait until inventory has spoken. Time's up: the answer it
// would have been without waiting.
void answer_when_settled(Reply reply, Duration at_most, const app::SaveResult& receipt,
                         const ApiDependencies& dependencies) {
    const auto id =
        receipt.recorded
            ? domain::OrderId::parse(std::string_view(receipt.recorded->location).substr(12))
            : receipt.order.id;
    Response unsettled = receipt.recorded ? recorded_response(*receipt.recorded)
                                          : order_response(201, receipt.order);
    dependencies.confirmation_waiters.wait(
        id.value(), at_most,
        [reply = std::move(reply), unsettled = std::move(unsettled), &cache = dependencies.cache,
         replayed = receipt.recorded.has_value()](const std::optional<domain::Order>& order) {
            if (!order) return reply.send(unsettled);
            cache.put(*order);  // whoever reads it next sees no older one
            Response response = order_response(201, *order);
            if (replayed) response.headers.emplace_back("Idempotency-Replayed", "true");
            reply.send(std::move(response));
        });
}

Result<app::PlaceOrder> read_place_order(const Request& request) {
    app::PlaceOrder command;
    command.key = TRY(read_key(request));
    command.terms = TRY(read_order_terms(request.body));
    command.actor = anonymous;
    command.trace = trace_of(request);
    return command;
}

void place_order(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    const auto wait = read_wait(request);
    if (!wait) return reply.problem(wait.error());
    auto command = read_place_order(request);
    if (!command) return reply.problem(command.error());
    const auto done = [reply, dependencies, wait = *wait](const Result<app::SaveResult>& receipt) {
        // Hardly anybody reads it before inventory has answered: it is not worth a place in the
        // cache.
        if (!receipt) return reply.problem(receipt.error());
        if (wait) return answer_when_settled(reply, *wait, *receipt, dependencies);
        if (receipt->recorded) return reply.send(recorded_response(*receipt->recorded));
        reply.send(order_response(201, receipt->order));
    };
    if (!dependencies.place_queue.submit(*std::move(command), done)) reply.busy();
}

// The one path of every transition: POST .../process, ship, deliver, cancel, PUT status and DELETE
// differ in how they say what.
void change_order(const Request& request, const Reply& reply, Result<domain::Command> command,
                  const ApiDependencies& dependencies) {
    const auto read = [&]() -> Result<app::ChangeOrder> {
        TRY(http::check_query(request, {}));
        const domain::OrderId id = TRY(read_order_id(request));
        app::ChangeOrder change{id, TRY(command), std::string(anonymous), trace_of(request), {},
                                {}};
        change.key = TRY(read_key(request));
        change.expected_version = TRY(read_if_match(request));
        return change;
    };
    auto change = read();
    if (!change) return reply.problem(change.error());
    const auto done = [reply, dependencies](const Result<app::SaveResult>& receipt) {
        answer_change(reply, 200, receipt, dependencies.cache);
    };
    if (!dependencies.change_queue.submit(*std::move(change), done)) reply.busy();
}

// From the memory of this process, or from the shared cache or the store, together with whoever
// asks at the same time: the I/O thread waits for neither.
void get_order(const Request& request, const Reply& reply, bool status_only,
               const ApiDependencies& dependencies) {
    if (auto known = http::check_query(request, {}); !known) return reply.problem(known.error());
    const auto id = read_order_id(request);
    if (!id) return reply.problem(id.error());
    const auto answer = [reply, status_only](CachedOrder order) {
        reply.send({.body = std::move(status_only ? order.status : order.order),
                    .headers = {{"ETag", fmt::format("\"{}\"", order.version)}}});
    };
    if (auto cached = dependencies.cache.get_local(*id)) return answer(*std::move(cached));
    const auto done = [reply, answer](Result<CachedOrder> order) {
        if (!order) return reply.problem(order.error());
        answer(*std::move(order));
    };
    if (!dependencies.find_queue.submit(*id, done)) reply.busy();
}

void list_orders(const Request& request, const Reply& reply, app::OrderStore& store) {
    const auto list = read_list_request(request);
    if (!list) return reply.problem(list.error());
    const auto page = store.list(list->filter, list->after, list->limit);
    if (!page) return reply.problem(page.error());
    reply.send(
        http::page_response(request, page->next ? page->next->text() : "", [&](json::Writer& out) {
            for (const domain::Order& order : page->items) write_order(out, order);
        }));
}

void list_sagas(const Request& request, const Reply& reply, app::OrderStore& store) {
    const auto list = read_saga_list_request(request);
    if (!list) return reply.problem(list.error());
    const auto page = store.sagas(list->filter, list->after, list->limit);
    if (!page) return reply.problem(page.error());
    reply.send(
        http::page_response(request, page->next ? page->next->text() : "", [&](json::Writer& out) {
            for (const app::SagaOfOrder& saga : page->items) write_saga(out, saga);
        }));
}

void get_saga(const Request& request, const Reply& reply, app::OrderStore& store) {
    if (auto known = http::check_query(request, {}); !known) return reply.problem(known.error());
    const auto id = domain::SagaId::parse(request.param("id"));
    const auto saga = id ? store.saga(*id)
                         : Result<app::SagaOfOrder>(fail(Errc::not_found, "no saga has this id"));
    if (!saga) return reply.problem(saga.error());
    std::string body;
    json::Writer out(body);
    write_saga(out, *saga);
    reply.json(200, std::move(body));
}

void get_timeline(const Request& request, const Reply& reply, app::OrderStore& store) {
    if (auto known = http::check_query(request, {}); !known) return reply.problem(known.error());
    const auto id = read_order_id(request);
    const auto entries = id ? store.timeline(*id)
                            : Result<std::vector<app::HistoryEntry>>(std::unexpected(id.error()));
    if (!entries) return reply.problem(entries.error());
    reply.send(http::page_response(
        request, "", [&](json::Writer& out) {  // an order has at most six entries
            for (const app::HistoryEntry& entry : *entries) {
                out.begin_object().member("version", entry.change.version);
                if (entry.change.from) out.member("from", name_of(*entry.change.from));
                out.member("to", name_of(entry.change.to))
                    .member("at", entry.change.at)
                    .member("actor", entry.change.actor);
                if (!entry.change.reason.empty()) out.member("reason", entry.change.reason);
                out.member("cause", entry.cause).member("eventId", entry.event_id).end_object();
            }
        }));
}

}  // namespace

std::vector<http::Route> order_routes(ApiDependencies dependencies) {
    using enum http::Run;
    const auto action = [dependencies](domain::Action name) {
        return [dependencies, name](const Request& request, const Reply& reply) {
            change_order(request, reply, read_command(name, request.body), dependencies);
        };
    };
    std::vector<http::Route> routes = {
        {"POST", "/api/orders", on_io,
         [dependencies](const Request& request, const Reply& reply) {
             place_order(request, reply, dependencies);
         }},
        {"GET", "/api/orders", on_worker,
         [dependencies](const Request& request, const Reply& reply) {
             list_orders(request, reply, dependencies.store);
         }},
        {"GET", "/api/orders/{id}", on_io,
         [dependencies](const Request& request, const Reply& reply) {
             get_order(request, reply, false, dependencies);
         }},
        {"GET", "/api/orders/{id}/status", on_io,
         [dependencies](const Request& request, const Reply& reply) {
             get_order(request, reply, true, dependencies);
         }},
        {"PUT", "/api/orders/{id}/status", on_io,
         [dependencies](const Request& request, const Reply& reply) {
             change_order(request, reply, read_status_change(request.body), dependencies);
         }},
        {"DELETE", "/api/orders/{id}", on_io, action(domain::Action::cancel)},
        {"POST", "/api/orders/{id}/process", on_io, action(domain::Action::process)},
        {"POST", "/api/orders/{id}/ship", on_io, action(domain::Action::ship)},
        {"POST", "/api/orders/{id}/deliver", on_io, action(domain::Action::deliver)},
        {"POST", "/api/orders/{id}/cancel", on_io, action(domain::Action::cancel)},
        {"GET", "/api/orders/{id}/timeline", on_worker,
         [dependencies](const Request& request, const Reply& reply) {
             get_timeline(request, reply, dependencies.store);
         }},
        {"GET", "/api/sagas", on_worker,
         [dependencies](const Request& request, const Reply& reply) {
             list_sagas(request, reply, dependencies.store);
         }},
        {"GET", "/api/sagas/{id}", on_worker,
         [dependencies](const Request& request, const Reply& reply) {
             get_saga(request, reply, dependencies.store);
         }},
    };
    for (http::Route& route : routes) {
        route.body_optional =
            route.pattern.starts_with("/api/orders/{id}") && route.method != "PUT";
    }
    return routes;
}

}  // namespace trackops::order::adapters
