#include "platform/relay/routes.hpp"

#include <optional>
#include <string>

#include <fmt/format.h>

#include "platform/http/page.hpp"
#include "platform/http/query_reader.hpp"
#include "platform/json/writer.hpp"
#include "platform/relay/relay.hpp"
#include "platform/sql/batch.hpp"

namespace trackops::relay {
namespace {

constexpr Duration retry_wait = std::chrono::seconds(5);

std::string status_body(const RelayStatus& status) {
    std::string body;
    json::Writer writer(body);
    writer.begin_object()
        .member("source", status.source)
        .member("active", status.active)
        .member("paused", status.paused)
        .member("position", status.backlog.position)
        .member("backlog", status.backlog.events)
        .member("oldestAgeMs", std::int64_t{status.backlog.oldest_age.count() / 1000})
        .member("parkedEvents", status.parked_events)
        .member("parkedKeys", status.parked_keys)
        .member("publishedTotal", status.published_total);
    writer.name("eventsPerSecond").decimal(status.events_per_second);
    if (!status.last_error.empty()) writer.member("lastError", status.last_error);
    writer.end_object();
    return body;
}

struct EventsQuery {
    bool is_parked = false;
    std::size_t limit = http::page_limit_default;
    std::int64_t after = 0;
};

Result<EventsQuery> read_query(const http::Request& request) {
    http::QueryReader in(request, {"state", "limit", "cursor"});
    EventsQuery query;
    query.is_parked =
        in.value("state", "must be unpublished or parked", [](std::string_view state) {
              return state == "parked" || state == "unpublished" ? std::optional(state == "parked")
                                                                 : std::nullopt;
          }).value_or(false);
    query.limit = in.limit();
    query.after =
        in.value("cursor", "must be a nextCursor of this list", [](std::string_view text) {
              const auto position = http::whole_number(text);
              return position && *position >= 0 ? position : std::nullopt;
          }).value_or(0);
    return in.finish(query);
}

void write_event(json::Writer& writer, std::int64_t position, const outbox::Event& event,
                 const char* state) {
    writer.begin_object()
        .member("id", event.id)
        .member("type", event.type)
        .member("key", event.key)
        .member("sequence", event.sequence)
        .member("position", position)
        .member("occurredAt", event.occurred_at)
        .member("state", state);
}

// Returns the cursor of the next page; only a full page has one behind it.
template <class Item>
std::string next_cursor(const std::vector<Item>& items, std::size_t limit) {
    if (items.size() < limit) return {};
    return std::to_string(items.back().position);
}

http::Response list_unpublished(Relay& relay, const EventsQuery& query,
                                const http::Request& request) {
    const auto events = relay.unpublished(query.after, query.limit);
    return http::page_response(
        request, next_cursor(events, query.limit), [&](json::Writer& writer) {
            for (const outbox::StoredEvent& stored : events) {
                write_event(writer, stored.position, stored.event, "UNPUBLISHED");
                writer.end_object();
            }
        });
}

http::Response list_parked(Relay& relay, const EventsQuery& query, const http::Request& request) {
    const auto events = relay.parked(query.after, query.limit);
    return http::page_response(request, next_cursor(events, query.limit),
                               [&](json::Writer& writer) {
                                   for (const ParkedEvent& parked : events) {
                                       const bool is_waiting = parked.reason.empty();
                                       write_event(writer, parked.position, parked.event,
                                                   is_waiting ? "WAITING" : "PARKED");
                                       if (!is_waiting) writer.member("reason", parked.reason);
                                       writer.member("parkedAt", parked.parked_at).end_object();
                                   }
                               });
}

void retry_event(Relay& relay, const http::Request& request, const http::Reply& reply) {
    const auto id = Uuid::parse(request.param("id"));
    if (!id) {
        return reply.problem({Errc::invalid, "The path is not valid.", {{"id", "must be a UUID"}}});
    }
    if (const auto done = relay.retry(*id, retry_wait); !done) return reply.problem(done.error());
    std::string body;
    json::Writer(body).begin_object().member("id", *id).member("state", "PUBLISHED").end_object();
    reply.json(200, std::move(body));
}

// Turns a failure of the database into a problem answer.
http::Handler with_failure_as_problem(
    std::function<void(const http::Request&, const http::Reply&)> handle) {
    return [handle = std::move(handle)](const http::Request& request, const http::Reply& reply) {
        try {
            handle(request, reply);
        } catch (const sql::Failure& failure) {
            reply.problem(sql::error_of(failure.fault));
        }
    };
}

}  // namespace

std::vector<http::Route> relay_routes(Relay& relay) {
    using http::Run;
    const auto paused = [&relay](bool is_paused) {
        return [&relay, is_paused](const http::Request&, const http::Reply& reply) {
            is_paused ? relay.pause() : relay.resume();
            std::string body;
            json::Writer(body).begin_object().member("paused", is_paused).end_object();
            reply.json(200, std::move(body));
        };
    };
    std::vector<http::Route> routes;
    routes.push_back(
        {"GET", "/api/relay/status", Run::on_worker,
         with_failure_as_problem([&relay](const http::Request& request, const http::Reply& reply) {
             if (const auto known = http::check_query(request, {}); !known) {
                 return reply.problem(known.error());
             }
             reply.json(200, status_body(relay.status()));
         })});
    routes.push_back(
        {"GET", "/api/relay/events", Run::on_worker,
         with_failure_as_problem([&relay](const http::Request& request, const http::Reply& reply) {
             const auto query = read_query(request);
             if (!query) return reply.problem(query.error());
             reply.send(query->is_parked ? list_parked(relay, *query, request)
                                         : list_unpublished(relay, *query, request));
         })});
    routes.push_back(
        {.method = "POST",
         .pattern = "/api/relay/events/{id}/retry",
         .run = Run::on_worker,
         .handler = [&relay](const http::Request& request,
                             const http::Reply& reply) { retry_event(relay, request, reply); },
         .body_optional = true});
    routes.push_back({.method = "POST",
                      .pattern = "/api/relay/pause",
                      .run = Run::on_io,
                      .handler = paused(true),
                      .body_optional = true});
    routes.push_back({.method = "POST",
                      .pattern = "/api/relay/resume",
                      .run = Run::on_io,
                      .handler = paused(false),
                      .body_optional = true});
    return routes;
}

}  // namespace trackops::relay
