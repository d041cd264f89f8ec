#include "inventory/adapters/http_api.hpp"

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

constexpr std::size_t bulk_bytes_max = 64 * 1024 * 1024;

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
        write.key = TRY(http::read_idempotency_key(request));
        if (!write.key && std::holds_alternative<domain::AdjustStock>(write.command)) {
            return fail(Errc::precondition_required,
                        "an adjustment needs an Idempotency-Key, so that it cannot count twice");
        }
        TRY(http::check_query(request, {}));
        write.record = [asked = write.command](const app::WriteResult& written) {
            return answer_of(asked, written);
        };
        return write;
    };
    auto write = read();
    if (!write) return reply.problem(write.error());
    const auto done = [reply, record = write->record](const Result<app::WriteResult>& written) {
        if (!written) return reply.problem(written.error());
        reply.send(written->replayed ? http::replayed_response(*written->replayed)
                                     : http::response_of(record(*written)));
    };
    if (!dependencies.write_queue.submit(*std::move(write), done)) reply.busy();
}

// Returns the command for the item in the path, with the version in If-Match.
template <class Command>
Result<ItemRequest> on_item(const Request& request, Command command) {
    command.if_version = TRY(http::read_if_match(request, "item"));
    return ItemRequest{std::string(request.param("sku")), std::move(command)};
}

template <class Command>
Result<ItemRequest> on_item(const Request& request, Result<Command> command) {
    return on_item(request, TRY(std::move(command)));
}

Result<void> get_item(const Request& request, const Reply& reply, app::InventoryReader& reader) {
    TRY(http::check_query(request, {}));
    const auto item = reader.item(request.param("sku"));
    if (!item) return fail(Errc::not_found, "there is no such item");
    reply.send({.body = item_json(*item), .headers = {{"ETag", etag_of(*item)}}});
    return {};
}

// Returns the response with a page of `found`, which has limit + 1 elements when there is a next
// page.
template <class T, class Cursor>
Response page_of(const Request& request, std::vector<T> found, std::size_t limit,
                 Cursor cursor_of) {
    const bool is_last = found.size() <= limit;
    if (!is_last) found.resize(limit);
    const std::string next = is_last ? std::string() : cursor_of(found.back());
    return http::page_response(request, next, [&](json::Writer& out) {
        for (const T& one : found) write_json(out, one);
    });
}

Result<void> list_items(const Request& request, const Reply& reply, app::InventoryReader& reader) {
    const auto list = TRY(read_item_list(request));
    reply.send(page_of(
        request, reader.items(list.filter, list.cursor.value_or(std::string()), list.limit + 1),
        list.limit, [](const domain::Item& item) { return item.sku; }));
    return {};
}

Result<void> list_movements(const Request& request, const Reply& reply,
                            app::InventoryReader& reader) {
    const auto list = TRY(read_movement_list(request));
    const std::string_view sku = request.param("sku");
    auto found = reader.movements(sku, list.cursor, list.limit + 1);
    // The ledger of a deleted item can still be read.
    if (found.empty() && !reader.item(sku)) return fail(Errc::not_found, "there is no such item");
    reply.send(page_of(request, std::move(found), list.limit,
                       [](const app::LedgerRow& row) { return fmt::to_string(row.position); }));
    return {};
}

Result<void> list_reservations(const Request& request, const Reply& reply,
                               app::InventoryReader& reader) {
    const auto list = TRY(read_reservation_list(request));
    reply.send(
        page_of(request, reader.reservations(list.filter, list.cursor, list.limit + 1), list.limit,
                [](const domain::Reservation& reservation) { return reservation.id.text(); }));
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

Result<void> get_availability(const Request& request, const Reply& reply,
                              app::InventoryReader& reader) {
    const auto skus = TRY(read_availability(request));
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
    reply.json(200, std::move(body));
    return {};
}

Result<void> post_bulk(const Request& request, const Reply& reply,
                       const ApiDependencies& dependencies) {
    TRY(http::check_query(request, {}));
    reply.send({.content_type = "application/x-ndjson",
                .body = upsert_items(request.body, dependencies.items, dependencies.clock,
                                     dependencies.ids)});
    return {};
}

using InventoryQuery = Result<void> (*)(const Request&, const Reply&, app::InventoryReader&);

http::Route with_failure_as_problem(std::string_view pattern, InventoryQuery read,
                                    app::InventoryReader& reader) {
    return {"GET", pattern, http::Run::on_worker,
            [read, &reader](const Request& request, const Reply& reply) {
                try {
                    const auto answered = read(request, reply, reader);
                    if (!answered) reply.problem(answered.error());
                } catch (const sql::Failure& failure) {
                    reply.problem(sql::error_of(failure.fault));
                }
            }};
}

}  // namespace

std::vector<http::Route> inventory_routes(ApiDependencies dependencies) {
    constexpr std::string_view items = "/api/inventory/items";
    constexpr std::string_view item = "/api/inventory/items/{sku}";
    constexpr std::string_view reservations = "/api/inventory/reservations";
    using http::Run;
    return {
        {"POST", items, Run::on_io,
         [dependencies](const Request& request, const Reply& reply) {
             write_item(request, reply, read_new_item(request.body), dependencies);
         }},
        {"PATCH", item, Run::on_io,
         [dependencies](const Request& request, const Reply& reply) {
             write_item(request, reply, on_item(request, read_patch(request.body)), dependencies);
         }},
        {"DELETE", item, Run::on_io,
         [dependencies](const Request& request, const Reply& reply) {
             write_item(request, reply, on_item(request, domain::DeleteItem{}), dependencies);
         }},
        {"POST", "/api/inventory/items/{sku}/adjustments", Run::on_io,
         [dependencies](const Request& request, const Reply& reply) {
             write_item(request, reply, on_item(request, read_adjustment(request.body)),
                        dependencies);
         }},
        {"POST", "/api/inventory/items/bulk", Run::on_worker,
         [dependencies](const Request& request, const Reply& reply) {
             if (auto done = post_bulk(request, reply, dependencies); !done)
                 reply.problem(done.error());
         },
         bulk_bytes_max, "application/x-ndjson"},
        with_failure_as_problem(items, list_items, dependencies.reader),
        with_failure_as_problem(item, get_item, dependencies.reader),
        with_failure_as_problem("/api/inventory/items/{sku}/movements", list_movements,
                                dependencies.reader),
        with_failure_as_problem("/api/inventory/availability", get_availability,
                                dependencies.reader),
        with_failure_as_problem(reservations, list_reservations, dependencies.reader),
        with_failure_as_problem("/api/inventory/reservations/{id}", get_reservation,
                                dependencies.reader),
    };
}

}  // namespace trackops::inventory::adapters
