#include "order/adapters/http_api.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "order/adapters/bulk.hpp"
#include "order/adapters/order_json.hpp"
#include "order/adapters/own_orders.hpp"
#include "order/adapters/read_requests.hpp"
#include "platform/http/entity_tag.hpp"
#include "platform/http/idempotency_key.hpp"
#include "platform/http/page.hpp"
#include "platform/json/reader.hpp"
#include "platform/json/writer.hpp"

namespace trackops::order::adapters {
namespace {

using http::Reply;
using http::Request;
using http::Response;

std::string cursor_text(domain::OrderId id) { return id.text(); }
std::string cursor_text(const app::UpdatedCursor& cursor) { return text_of(cursor); }

Result<domain::OrderId> read_order_id(const Request& request) {
    const auto id = domain::OrderId::parse(request.param("id"));
    if (!id) return fail(Errc::not_found, "no order has this id");
    return *id;
}

// The end of the lifetime of a command's key: {} without a key.
template <class Command>
Instant key_expiry_of(const Command& command, const ApiDependencies& dependencies) {
    return command.key ? dependencies.clock.now() + command.key->lifetime : Instant{};
}

Response order_response(int status, const domain::Order& order, Instant key_expiry = {}) {
    Response response{
        .status = status, .body = order_json(order), .headers = {{"ETag", etag_of(order)}}};
    if (status == 201) response.headers.emplace_back("Location", path_of(order.id));
    if (key_expiry > Instant{}) http::add_key_expiry(response, key_expiry);
    return response;
}

// Answers a command that changed an order: with the recorded response to its idempotency key, or
// with the order.
void answer_change(const Reply& reply, Instant key_expiry, const Result<app::SaveResult>& receipt,
                   OrderCache& cache) {
    if (!receipt) return reply.problem(receipt.error());
    if (receipt->recorded) return reply.send(http::replayed_response(*receipt->recorded));
    cache.put(receipt->order);
    reply.send(order_response(200, receipt->order, key_expiry));
}

struct SettledAnswer {
    Duration at_most;
    Instant key_expiry;
};

// Answers a placed order when inventory has replied. After `asked.at_most`, gives the response that
// a request without a wait gets.
void answer_when_settled(Reply reply, SettledAnswer asked, const app::SaveResult& receipt,
                         const ApiDependencies& dependencies) {
    const auto id =
        receipt.recorded
            ? domain::OrderId::parse(std::string_view(receipt.recorded->location).substr(12))
            : receipt.order.id;
    Response unsettled = receipt.recorded ? http::replayed_response(*receipt.recorded)
                                          : order_response(201, receipt.order, asked.key_expiry);
    // The order is placed, even if the database stands still for the rest of the wait.
    reply.known(unsettled);
    dependencies.confirmation_waiters.wait(
        id.value(), asked.at_most,
        [reply = std::move(reply), unsettled = std::move(unsettled), &cache = dependencies.cache,
         replayed = receipt.recorded.has_value(),
         key_expiry = receipt.recorded ? receipt.recorded->expires_at : asked.key_expiry](
            const std::optional<domain::Order>& order) {
            if (!order) return reply.send(unsettled);
            cache.put(*order);  // the next reader must not see an older version
            Response response = order_response(201, *order, key_expiry);
            if (replayed) response.headers.emplace_back("Idempotency-Replayed", "true");
            reply.send(std::move(response));
        });
}

Result<app::PlaceOrder> read_place_order(const Request& request, Duration key_lifetime) {
    app::PlaceOrder command;
    command.key = TRY(http::read_idempotency_key(request, key_lifetime));
    command.terms = TRY(read_order_terms(request.body));
    command.actor = request.context.actor();
    command.trace = request.context.trace();
    command.act = request.context.act;
    return command;
}

void place_order(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    const auto wait = read_wait(request);
    if (!wait) return reply.problem(wait.error());
    auto command = read_place_order(request, dependencies.key_lifetime);
    if (!command) return reply.problem(command.error());
    const Instant key_expiry = key_expiry_of(*command, dependencies);
    const auto done = [reply, dependencies, key_expiry,
                       wait = *wait](const Result<app::SaveResult>& receipt) {
        // The cache does not get the order: it is hardly ever read before inventory has replied.
        if (!receipt) return reply.problem(receipt.error());
        if (wait) return answer_when_settled(reply, {*wait, key_expiry}, *receipt, dependencies);
        if (receipt->recorded) return reply.send(http::replayed_response(*receipt->recorded));
        reply.send(order_response(201, receipt->order, key_expiry));
    };
    if (!dependencies.place_queue.submit(*std::move(command), done)) reply.busy();
}

// Handles every change. POST .../process, ship, deliver and cancel, PUT .../status, PATCH and
// DELETE differ only in how they state the command.
template <class Command>
void change_order(const Request& request, const Reply& reply, Result<Command> command,
                  const ApiDependencies& dependencies) {
    const auto read = [&]() -> Result<app::ChangeOrder> {
        TRY(http::check_query(request, {}));
        const domain::OrderId id = TRY(read_order_id(request));
        auto stated = TRY(std::move(command));
        app::ChangeOrder change{
            id, std::move(stated), request.context.actor(), request.context.trace(), {}, {}};
        change.key = TRY(http::read_idempotency_key(request, dependencies.key_lifetime));
        change.condition = TRY(http::read_version_condition(request, "order"));
        change.act = request.context.act;
        return change;
    };
    auto change = read();
    if (!change) return reply.problem(change.error());
    const Instant key_expiry = key_expiry_of(*change, dependencies);
    const auto done = [reply, dependencies, key_expiry](const Result<app::SaveResult>& receipt) {
        answer_change(reply, key_expiry, receipt, dependencies.cache);
    };
    if (!dependencies.change_queue.submit(*std::move(change), done)) reply.busy();
}

// Answers from the memory of this process. Otherwise queues the request for the shared cache and
// the store, so that concurrent requests share a query and the I/O thread does not wait.
void find_order(const Request& request, const Reply& reply, bool status_only,
                const ApiDependencies& dependencies) {
    const auto id = read_order_id(request);
    if (!id) return reply.problem(id.error());
    const auto answer = [reply, status_only](CachedOrder order) {
        reply.send({.body = std::move(status_only ? order.status : order.order),
                    .headers = {{"ETag", http::entity_tag(order.version)}}});
    };
    if (auto cached = dependencies.cache.get_local(*id)) return answer(*std::move(cached));
    const auto done = [reply, answer](Result<CachedOrder> order) {
        if (!order) return reply.problem(order.error());
        answer(*std::move(order));
    };
    if (!dependencies.find_queue.submit(*id, done)) reply.busy();
}

// Reads the page in parts by load(after, limit) and answers it.
template <class Cursor, class Load, class CursorOf>
void answer_list(const Request& request, const Reply& reply, const ListRequest& list,
                 std::optional<Cursor> after, const Load& load, const CursorOf& cursor_of) {
    http::PageWriter page;
    std::size_t count = 0;
    for (std::size_t part = page.next_part(0, list.limit); part > 0;) {
        const auto found = load(after, part);
        if (!found) return reply.problem(found.error());
        if (found->items.empty()) {
            after.reset();
            break;
        }
        for (auto order = found->items.begin(); order != found->items.end(); ++order) {
            list.is_summary ? write_order_summary(page.out(), *order)
                            : write_order(page.out(), *order);
            ++count;
            const bool has_more = found->next || order + 1 != found->items.end();
            after = has_more ? std::optional(cursor_of(*order)) : std::nullopt;
            if (page.is_full()) break;
        }
        part = after ? page.next_part(count, list.limit - count) : 0;
    }
    reply.send(page.finish(request, after ? cursor_text(*after) : ""));
}

void list_orders(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    const auto list = read_list_request(request);
    if (!list) return reply.problem(list.error());
    app::OrderStore& store = dependencies.store;
    const auto load = [&](const std::optional<domain::OrderId>& after, std::size_t limit) {
        return store.list(list->filter, after, limit);
    };
    const auto load_updated = [&](const std::optional<app::UpdatedCursor>& after,
                                  std::size_t limit) {
        return store.list_updated(list->filter, after, limit);
    };
    if (list->is_by_update) {
        answer_list(request, reply, *list, list->after_update, load_updated,
                    [](const domain::Order& order) {
                        return app::UpdatedCursor{order.updated_at, order.id};
                    });
    } else {
        answer_list(request, reply, *list, list->after, load,
                    [](const domain::Order& order) { return order.id; });
    }
}

void list_sagas(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    const auto list = read_saga_list_request(request);
    if (!list) return reply.problem(list.error());
    const auto page = dependencies.store.sagas(list->filter, list->after, list->limit);
    if (!page) return reply.problem(page.error());
    reply.send(
        http::page_response(request, page->next ? page->next->text() : "", [&](json::Writer& out) {
            for (const app::SagaOfOrder& saga : page->items) write_saga(out, saga);
        }));
}

void get_saga(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    if (auto known = http::check_query(request, {}); !known) return reply.problem(known.error());
    const auto id = domain::SagaId::parse(request.param("id"));
    const auto saga = id ? dependencies.store.saga(*id)
                         : Result<app::SagaOfOrder>(fail(Errc::not_found, "no saga has this id"));
    if (!saga) return reply.problem(saga.error());
    std::string body;
    json::Writer out(body);
    write_saga(out, *saga);
    reply.json(200, std::move(body));
}

void get_timeline(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    if (auto known = http::check_query(request, {}); !known) return reply.problem(known.error());
    const auto id = read_order_id(request);
    const auto entries = id ? dependencies.store.timeline(*id)
                            : Result<std::vector<app::HistoryEntry>>(std::unexpected(id.error()));
    if (!entries) return reply.problem(entries.error());
    reply.send(http::page_response(
        request, "", [&](json::Writer& out) {  // no paging: few things happen to an order
            for (const app::HistoryEntry& entry : *entries) write_history_entry(out, entry);
        }));
}

bool is_pending(const CachedOrder& order) {
    const auto status = json::Document::parse(order.status);
    const auto name = status ? status->root().find("status") : std::nullopt;
    return name && name->text() == name_of(domain::Status::pending);
}

// Answers with the order when it is no longer PENDING, or as it is after `at_most`. The order of a
// cache may be old; then the first poll of the waiters finds the new one.
void find_settled_order(Reply reply, domain::OrderId id, Duration at_most,
                        const ApiDependencies& dependencies) {
    const auto answer = [reply](CachedOrder order) {
        reply.send({.body = std::move(order.order),
                    .headers = {{"ETag", http::entity_tag(order.version)}}});
    };
    const auto found = [=](Result<CachedOrder> order) {
        if (!order) return reply.problem(order.error());
        if (!is_pending(*order)) return answer(*std::move(order));
        dependencies.confirmation_waiters.wait(
            id, at_most,
            [reply, answer, unsettled = *std::move(order),
             &cache = dependencies.cache](const std::optional<domain::Order>& settled) {
                if (!settled) return answer(unsettled);
                cache.put(*settled);  // the next reader must not see an older version
                reply.send(order_response(200, *settled));
            });
    };
    if (!dependencies.find_queue.submit(id, found)) reply.busy();
}

void get_order(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    const auto wait = read_wait(request);
    if (!wait) return reply.problem(wait.error());
    if (!*wait) return find_order(request, reply, false, dependencies);
    const auto id = read_order_id(request);
    if (!id) return reply.problem(id.error());
    find_settled_order(reply, *id, **wait, dependencies);
}

void get_status(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    if (auto known = http::check_query(request, {}); !known) return reply.problem(known.error());
    find_order(request, reply, true, dependencies);
}

void put_status(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    change_order(request, reply, read_status_change(request.body), dependencies);
}

template <domain::Action action>
void act(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    change_order(request, reply, read_command(action, request.body), dependencies);
}

// DELETE is idempotent by its method: a repeat is answered as the first one.
void delete_order(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    auto command = read_command(domain::Action::cancel, request.body);
    if (command) command->is_repeatable = true;
    change_order(request, reply, std::move(command), dependencies);
}

void patch_order(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    change_order(request, reply, read_details_patch(request.body), dependencies);
}

void post_bulk(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    const auto policy = http::read_error_policy(request);
    if (!policy) return reply.problem(policy.error());
    http::serve_lines(
        reply, *policy, bulk_lines_max,
        [&request, dependencies](std::span<const http::BodyLine> lines, std::string& answer) {
            return place_order_lines(lines, request, dependencies, answer);
        });
}

using http::Answer;
using http::Body;
using http::Idempotency;
using http::Scope;
using http::Work;
using Row = http::RouteOf<ApiDependencies>;

constexpr Row query(std::string_view pattern, Work work, decltype(Row::handler) handler) {
    return http::get_row<ApiDependencies>(pattern, Scope::orders_read, Answer::json, work, handler);
}

enum class Needs : std::uint8_t { body, nothing };

constexpr Row command(std::string_view method, std::string_view pattern, Needs needs,
                      decltype(Row::handler) handler,
                      Idempotency idempotency = Idempotency::optional) {
    return {.method = method,
            .pattern = pattern,
            .scope = Scope::orders_write,
            .body = Body::json,
            .answer = Answer::json,
            .idempotency = idempotency,
            .work = Work::memory,
            .handler = handler,
            .body_optional = needs == Needs::nothing};
}

constexpr Row for_own_customer(Row row) {
    row.is_for_own_customer = true;
    return row;
}

// The largest order that the contract allows, with each character of its texts escaped in JSON as
// two numbers of four digits.
constexpr Row for_largest_order(Row row) {
    constexpr std::size_t mebibyte = 1U << 20;
    row.body_bytes_max = 8 * mebibyte;
    return row;
}

constexpr auto rows = std::to_array<Row>({
    for_own_customer(for_largest_order(
        command("POST", "/api/orders", Needs::body, place_order, Idempotency::required))),
    {.method = "POST",
     .pattern = "/api/orders/bulk",
     .scope = Scope::orders_write,
     .body = Body::ndjson_stream,
     .answer = Answer::ndjson_stream,
     .idempotency = Idempotency::none,  // each line carries its own key
     .work = Work::bulk,
     .handler = post_bulk},
    for_own_customer(query("/api/orders", Work::query, list_orders)),
    for_own_customer(query("/api/orders/{id}", Work::memory, get_order)),
    for_own_customer(query("/api/orders/{id}/status", Work::memory, get_status)),
    command("PUT", "/api/orders/{id}/status", Needs::body, put_status),
    command("PATCH", "/api/orders/{id}", Needs::body, patch_order),
    command("DELETE", "/api/orders/{id}", Needs::nothing, delete_order),
    command("POST", "/api/orders/{id}/process", Needs::nothing, act<domain::Action::process>),
    command("POST", "/api/orders/{id}/ship", Needs::nothing, act<domain::Action::ship>),
    command("POST", "/api/orders/{id}/deliver", Needs::nothing, act<domain::Action::deliver>),
    command("POST", "/api/orders/{id}/cancel", Needs::nothing, act<domain::Action::cancel>),
    for_own_customer(query("/api/orders/{id}/timeline", Work::query, get_timeline)),
    query("/api/sagas", Work::query, list_sagas),
    query("/api/sagas/{id}", Work::query, get_saga),
});
static_assert(http::is_consistent(rows));

}  // namespace

std::vector<http::Route> order_routes(const ApiDependencies& dependencies) {
    return confined_to_own_orders(http::bound(rows, dependencies), dependencies);
}

std::vector<http::Route> order_route_table() { return http::unbound(rows); }

}  // namespace trackops::order::adapters
