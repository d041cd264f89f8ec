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
    query.after = in.cursor([](std::string_view text) {
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

// Cuts `items` to a page and returns the cursor of the next page; there is one if `items` held more
// than `limit`.
template <class Item>
std::string cut_to_page(std::vector<Item>& items, std::size_t limit) {
    if (items.size() <= limit) return {};
    items.resize(limit);
    return std::to_string(items.back().position);
}

http::Response list_unpublished(Relay& relay, const EventsQuery& query,
                                const http::Request& request) {
    auto events = relay.unpublished(query.after, query.limit + 1);
    const std::string next = cut_to_page(events, query.limit);
    return http::page_response(request, next, [&](json::Writer& writer) {
        for (const outbox::StoredEvent& stored : events) {
            write_event(writer, stored.position, stored.event, "UNPUBLISHED");
            writer.end_object();
        }
    });
}

http::Response list_parked(Relay& relay, const EventsQuery& query, const http::Request& request) {
    auto events = relay.parked(query.after, query.limit + 1);
    const std::string next = cut_to_page(events, query.limit);
    return http::page_response(request, next, [&](json::Writer& writer) {
        for (const ParkedEvent& parked : events) {
            const bool is_waiting = parked.reason.empty();
            write_event(writer, parked.position, parked.event, is_waiting ? "WAITING" : "PARKED");
            if (!is_waiting) writer.member("reason", parked.reason);
            writer.member("parkedAt", parked.parked_at).end_object();
        }
    });
}

void get_status(const http::Request& request, const http::Reply& reply, Relay& relay) {
    if (const auto known = http::check_query(request, {}); !known) {
        return reply.problem(known.error());
    }
    reply.json(200, status_body(relay.status()));
}

void list_events(const http::Request& request, const http::Reply& reply, Relay& relay) {
    const auto query = read_query(request);
    if (!query) return reply.problem(query.error());
    reply.send(query->is_parked ? list_parked(relay, *query, request)
                                : list_unpublished(relay, *query, request));
}

struct RouteDependencies {
    Relay& relay;
};

void retry_event(const http::Request& request, const http::Reply& reply,
                 const RouteDependencies& dependencies) {
    const auto id = Uuid::parse(request.param("id"));
    if (!id) {
        return reply.problem({Errc::invalid,
                              "the path is not valid",
                              {{"id", "must be a UUID, as the list of events has it", "format"}}});
    }
    if (const auto done = dependencies.relay.retry(*id, retry_wait, request.context.act); !done)
        return reply.problem(done.error());
    std::string body;
    json::Writer(body).begin_object().member("id", *id).member("state", "PUBLISHED").end_object();
    reply.json(200, std::move(body));
}

template <bool is_paused>
void set_paused(const http::Request&, const http::Reply& reply,
                const RouteDependencies& dependencies) {
    is_paused ? dependencies.relay.pause() : dependencies.relay.resume();
    std::string body;
    json::Writer(body).begin_object().member("paused", is_paused).end_object();
    reply.json(200, std::move(body));
}

using RelayQuery = void (*)(const http::Request&, const http::Reply&, Relay&);

// SQLSTATE classes 42 and 3F mean here that tables or rights are missing, because the statements
// themselves are right. The service that writes to the outbox makes them when it starts.
Error error_of(const sql::Failure& failure) {
    if (failure.sqlstate.starts_with("42") || failure.sqlstate.starts_with("3F")) {
        return {Errc::unavailable,
                "the relay waits for the outbox: its tables and rights come with the service that "
                "writes to it"};
    }
    return sql::error_of(failure.fault);
}

// Turns a failure of the database into a problem answer.
template <RelayQuery handle>
void answer_query(const http::Request& request, const http::Reply& reply,
                  const RouteDependencies& dependencies) {
    try {
        handle(request, reply, dependencies.relay);
    } catch (const sql::Failure& failure) {
        reply.problem(error_of(failure));
    }
}

using http::Answer;
using http::Body;
using http::Idempotency;
using http::Scope;
using http::Work;
using Row = http::RouteOf<RouteDependencies>;

template <RelayQuery handle>
constexpr Row query(std::string_view pattern) {
    return http::get_row<RouteDependencies>(pattern, Scope::relay_read, Answer::json, Work::query,
                                            answer_query<handle>);
}

constexpr Row operation(std::string_view pattern, Work work, decltype(Row::handler) handler) {
    return {.method = "POST",
            .pattern = pattern,
            .scope = Scope::operate,
            .body = Body::json,
            .answer = Answer::json,
            .idempotency = Idempotency::none,
            .work = work,
            .handler = handler,
            .body_optional = true};
}

constexpr auto rows = std::to_array<Row>({
    query<get_status>("/api/relay/status"),
    query<list_events>("/api/relay/events"),
    operation("/api/relay/events/{id}/retry", Work::query, retry_event),
    operation("/api/relay/pause", Work::memory, set_paused<true>),
    operation("/api/relay/resume", Work::memory, set_paused<false>),
});
static_assert(http::is_consistent(rows));

}  // namespace

std::vector<http::Route> relay_routes(Relay& relay) {
    return http::bound(rows, RouteDependencies{relay});
}

std::vector<http::Route> relay_route_table() { return http::unbound(rows); }

}  // namespace trackops::relay
