#include "inventory/adapters/http_api.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "inventory/adapters/bulk.hpp"
#include "inventory/adapters/inventory_json.hpp"
#include "inventory/adapters/read_requests.hpp"
#include "platform/http/entity_tag.hpp"
#include "platform/http/idempotency_key.hpp"
#include "platform/http/page.hpp"
#include "platform/sql/batch.hpp"

namespace trackops::inventory::adapters {

namespace {

using http::Reply;
using http::Request;
using http::Response;

// Returns the response to a successful write, which is also the recorded response of its key.
RecordedResponse answer_of(const domain::ItemCommand& command, const app::WriteResult& written) {
    if (!written.item) return {.status = 204};
    RecordedResponse answer{200, item_json(*written.item), {}, etag_of(*written.item)};
    if (std::holds_alternative<domain::CreateItem>(command)) {
        answer.status = 201;
        answer.location = path_of_item(written.item->sku);
    }
    return answer;
}

// Handles every write of one item: reads the request, queues the write, and answers when its batch
// is committed.
void write_item(const Request& request, const Reply& reply, Result<ItemRequest> item,
                const ApiDependencies& dependencies) {
    const auto read = [&]() -> Result<app::ItemWrite> {
        auto [sku, command] = TRY(std::move(item));
        app::ItemWrite write{dependencies.ids.next(), std::move(sku), std::move(command)};
        write.key = TRY(http::read_idempotency_key(request, dependencies.key_lifetime));
        TRY(http::check_query(request, {}));
        write.act = request.context.act;
        write.record = [asked = write.command](const app::WriteResult& written) {
            return answer_of(asked, written);
        };
        return write;
    };
    auto write = read();
    if (!write) return reply.problem(write.error());
    const Instant key_expiry =
        write->key ? dependencies.clock.now() + write->key->lifetime : Instant{};
    const auto done = [reply, record = write->record,
                       key_expiry](const Result<app::WriteResult>& written) {
        if (!written) return reply.problem(written.error());
        if (written->replayed) return reply.send(http::replayed_response(*written->replayed));
        Response response = http::response_of(record(*written));
        if (key_expiry > Instant{}) http::add_key_expiry(response, key_expiry);
        reply.send(std::move(response));
    };
    if (!dependencies.write_queue.submit(*std::move(write), done)) reply.busy();
}

// Returns the command for the item in the path, with the versions to which it applies.
template <class Command>
Result<ItemRequest> on_item(const Request& request, Command command) {
    command.condition = TRY(http::read_version_condition(request, "item"));
    return ItemRequest{std::string(request.param("sku")), std::move(command)};
}

template <class Command>
Result<ItemRequest> on_item(const Request& request, Result<Command> command) {
    auto read = TRY(std::move(command));
    return on_item(request, std::move(read));
}

Result<void> get_item(const Request& request, const Reply& reply, app::InventoryReader& reader) {
    TRY(http::check_query(request, {}));
    const auto item = reader.item(request.param("sku"));
    if (!item) return fail(Errc::not_found, "there is no such item");
    reply.send({.body = item_json(*item), .headers = {{"ETag", etag_of(*item)}}});
    return {};
}

std::string text_of(const std::string& sku) { return sku; }
std::string text_of(std::int64_t position) { return fmt::to_string(position); }
std::string text_of(domain::ReservationId id) { return id.text(); }

// Returns the response with a page of at most `limit` elements behind `after`. `read` returns at
// most as many as it is asked for; `cursor_of` returns the cursor behind an element.
template <class Cursor, class Read, class CursorOf>
Response read_page(const Request& request, std::optional<Cursor> after, std::size_t limit,
                   const Read& read, const CursorOf& cursor_of) {
    http::PageWriter page;
    std::size_t count = 0;
    bool has_more = false;
    for (std::size_t part = page.next_part(0, limit); part > 0;) {
        const auto found = read(after, part + 1);  // one more tells whether there are more
        std::size_t written = 0;
        while (written < std::min(found.size(), part) && !page.is_full())
            write_json(page.out(), found[written++]);
        if (written > 0) after = cursor_of(found[written - 1]);
        has_more = written < found.size();
        count += written;
        part = has_more ? page.next_part(count, limit - count) : 0;
    }
    return page.finish(request, has_more ? text_of(*after) : std::string());
}

Result<void> list_items(const Request& request, const Reply& reply, app::InventoryReader& reader) {
    const auto list = TRY(read_item_list(request));
    const auto read = [&](const std::optional<std::string>& after, std::size_t most) {
        return reader.items(list.filter, after.value_or(std::string()), most);
    };
    reply.send(read_page(request, list.cursor, list.limit, read,
                         [](const domain::Item& item) { return item.sku; }));
    return {};
}

Result<void> list_movements(const Request& request, const Reply& reply,
                            app::InventoryReader& reader) {
    const auto list = TRY(read_movement_list(request));
    const std::string_view sku = request.param("sku");
    bool is_empty = true;
    const auto read = [&](std::optional<std::int64_t> before, std::size_t most) {
        auto found = reader.movements(sku, before, most);
        is_empty = is_empty && found.empty();
        return found;
    };
    Response response = read_page(request, list.cursor, list.limit, read,
                                  [](const app::LedgerRow& row) { return row.position; });
    // The ledger of a deleted item can still be read.
    if (is_empty && !reader.item(sku)) return fail(Errc::not_found, "there is no such item");
    reply.send(std::move(response));
    return {};
}

Result<void> list_reservations(const Request& request, const Reply& reply,
                               app::InventoryReader& reader) {
    const auto list = TRY(read_reservation_list(request));
    const auto read = [&](std::optional<domain::ReservationId> before, std::size_t most) {
        return reader.reservations(list.filter, before, most);
    };
    reply.send(read_page(request, list.cursor, list.limit, read,
                         [](const domain::Reservation& one) { return one.id; }));
    return {};
}

Result<void> get_reservation(const Request& request, const Reply& reply,
                             app::InventoryReader& reader) {
    TRY(http::check_query(request, {}));
    const auto id = domain::ReservationId::parse(request.param("id"));
    const auto found = id ? reader.reservation(*id) : std::nullopt;
    if (!found) return fail(Errc::not_found, "there is no such reservation");
    std::string body;
    json::Writer out(body);
    write_json(out, *found);
    reply.json(200, std::move(body));
    return {};
}

Response availability_of(const std::vector<std::string>& skus, app::InventoryReader& reader) {
    const domain::StockLevels stock_levels = reader.stock_of(skus);
    std::string body;
    json::Writer out(body);
    out.begin_object().name("items").begin_array();
    for (const auto& [sku, stock] : stock_levels) {
        out.begin_object()
            .member("sku", sku)
            .member("onHand", stock.on_hand)
            .member("reserved", stock.reserved)
            .member("available", stock.available())
            .end_object();
    }
    out.end_array().name("unknown").begin_array();
    for (const std::string& sku : skus) {
        if (!stock_levels.contains(sku)) out.value(sku);
    }
    out.end_array().end_object();
    return {.body = std::move(body)};
}

Result<void> get_availability(const Request& request, const Reply& reply,
                              app::InventoryReader& reader) {
    reply.send(availability_of(TRY(read_availability(request)), reader));
    return {};
}

// For more SKUs than a URL can hold.
Result<void> post_availability(const Request& request, const Reply& reply,
                               app::InventoryReader& reader) {
    TRY(http::check_query(request, {}));
    reply.send(availability_of(TRY(read_availability(std::string_view(request.body))), reader));
    return {};
}

void post_bulk(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    const auto asked = read_bulk_request(request);
    if (!asked) return reply.problem(asked.error());
    BulkUpsert bulk{dependencies.items, dependencies.clock, dependencies.ids, asked->mode,
                    request.context.act};
    http::serve_lines(reply, asked->error_policy, bulk_lines_max,
                      [bulk = std::move(bulk)](std::span<const http::BodyLine> lines,
                                               std::string& answer) mutable {
                          return upsert_items(lines, bulk, answer);
                      });
}

using InventoryQuery = Result<void> (*)(const Request&, const Reply&, app::InventoryReader&);

// Turns a refusal of the query and a failure of the database into a problem answer.
template <InventoryQuery read>
void answer_query(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    try {
        const auto answered = read(request, reply, dependencies.reader);
        if (!answered) reply.problem(answered.error());
    } catch (const sql::Failure& failure) {
        reply.problem(sql::error_of(failure.fault));
    }
}

void post_item(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    write_item(request, reply, read_new_item(request.body), dependencies);
}

void patch_item(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    write_item(request, reply, on_item(request, read_patch(request.body)), dependencies);
}

void delete_item(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    write_item(request, reply, on_item(request, domain::DeleteItem{}), dependencies);
}

void adjust_stock(const Request& request, const Reply& reply, const ApiDependencies& dependencies) {
    write_item(request, reply, on_item(request, read_adjustment(request.body)), dependencies);
}

using http::Answer;
using http::Body;
using http::Idempotency;
using http::Scope;
using http::Work;
using Row = http::RouteOf<ApiDependencies>;

template <InventoryQuery read>
constexpr Row query(std::string_view pattern) {
    return http::get_row<ApiDependencies>(pattern, Scope::inventory_read, Answer::json, Work::query,
                                          answer_query<read>);
}

constexpr Row command(std::string_view method, std::string_view pattern, Body body,
                      Idempotency idempotency, decltype(Row::handler) handler) {
    return {.method = method,
            .pattern = pattern,
            .scope = Scope::inventory_write,
            .body = body,
            .answer = Answer::json,
            .idempotency = idempotency,
            .work = Work::memory,
            .handler = handler};
}

constexpr std::string_view items = "/api/inventory/items";
constexpr std::string_view item = "/api/inventory/items/{sku}";
constexpr std::string_view adjustments = "/api/inventory/items/{sku}/adjustments";

constexpr auto rows = std::to_array<Row>({
    command("POST", items, Body::json, Idempotency::optional, post_item),
    command("PATCH", item, Body::json, Idempotency::optional, patch_item),
    command("DELETE", item, Body::none, Idempotency::optional, delete_item),
    command("POST", adjustments, Body::json, Idempotency::required, adjust_stock),
    {.method = "POST",
     .pattern = "/api/inventory/items/bulk",
     .scope = Scope::inventory_write,
     .body = Body::ndjson_stream,
     .answer = Answer::ndjson_stream,
     .idempotency = Idempotency::none,
     .work = Work::bulk,
     .handler = post_bulk},
    query<list_items>(items),
    query<get_item>(item),
    query<list_movements>("/api/inventory/items/{sku}/movements"),
    query<get_availability>("/api/inventory/availability"),
    {.method = "POST",
     .pattern = "/api/inventory/availability",
     .scope = Scope::inventory_read,
     .body = Body::json,
     .answer = Answer::json,
     .idempotency = Idempotency::none,
     .work = Work::query,
     .handler = answer_query<post_availability>},
    query<list_reservations>("/api/inventory/reservations"),
    query<get_reservation>("/api/inventory/reservations/{id}"),
});
static_assert(http::is_consistent(rows));

}  // namespace

std::vector<http::Route> inventory_routes(const ApiDependencies& dependencies) {
    return http::bound(rows, dependencies);
}

std::vector<http::Route> inventory_route_table() { return http::unbound(rows); }

}  // namespace trackops::inventory::adapters
