#include "platform/access/session_routes.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "platform/access/access_store.hpp"
#include "platform/access/login.hpp"
#include "platform/access/password.hpp"
#include "platform/access/session_cookie.hpp"
#include "platform/access/sessions.hpp"
#include "platform/http/client_text.hpp"
#include "platform/json/object_reader.hpp"
#include "platform/json/writer.hpp"

namespace trackops::access {
namespace {

using http::Reply;
using http::Request;
using http::Response;
using http::Scope;

constexpr std::size_t login_bytes_max = 8 * 1024;
constexpr std::string_view operator_prefix = "operator:";
constexpr std::string_view current = "current";

// Returns "" for a caller that is no operator.
std::string_view operator_of(const http::Principal& caller) {
    std::string_view name = caller.name;
    if (caller.session.empty()) return {};
    name.remove_prefix(operator_prefix.size());
    return name;
}

bool may_see_all(const Request& request) {
    return request.context.principal->scopes.contains(Scope::admin);
}

std::unexpected<Error> no_sessions() {
    return fail(Errc::conflict,
                "this service has no access file, so nobody can log in and every caller is local");
}

Response with_secrets(int status) {
    return {.status = status, .headers = {{"Cache-Control", "no-store"}}};
}

void write_session(json::Writer& out, const KeptSession& kept, const SessionTimes& times,
                   std::string_view own_handle) {
    const Session& session = kept.session;
    const std::string handle = handle_of(kept.key);
    out.begin_object().member("handle", handle).member("operator", session.operator_name);
    out.member("createdAt", session.created_at).member("lastSeenAt", session.last_seen_at);
    out.member("idleEndsAt", std::min(session.last_seen_at + times.idle_max, session.ends_at));
    out.member("endsAt", session.ends_at).member("from", session.from);
    out.member("isCurrent", handle == own_handle).end_object();
}

Result<Login> read_login(const Request& request) {
    return json::read_object(request.body, [&](json::ObjectReader& in) {
        return Login{.name = in.text("name", {.max_characters = name_bytes_max}),
                     .password = Secret(in.text("password", {.max_characters = password_bytes_max,
                                                             .form = json::TextForm::word})),
                     .from = http::client_text(request.context.client),
                     .is_from_loopback = http::is_loopback(request.context.client)};
    });
}

Response logged_in(const LoggedIn& outcome, const SessionTimes& times, bool is_secure) {
    Response response = with_secrets(201);
    json::Writer out(response.body);
    out.begin_object().member("handle", handle_of(key_of_session(outcome.id.reveal())));
    out.member("operator", outcome.who.name).member("role", name_of(outcome.who.role));
    out.name("scopes").begin_array();
    for (const std::string_view scope : names_of(scopes_of(outcome.who.role))) out.value(scope);
    out.end_array();
    out.member("idleSeconds",
               std::chrono::duration_cast<std::chrono::seconds>(times.idle_max).count());
    out.member("ageSeconds",
               std::chrono::duration_cast<std::chrono::seconds>(times.age_max).count());
    out.end_object();
    response.headers.emplace_back("Location", "/api/sessions/current");
    response.headers.emplace_back("Set-Cookie",
                                  set_session_cookie(outcome.id, is_secure, times.age_max));
    return response;
}

Response refused(const LoginRefusal& refusal, const Request& request) {
    Response response = http::problem(refusal.error, request);
    if (refusal.retry_after <= Duration::zero()) return response;
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(refusal.retry_after).count();
    for (auto& [name, value] : response.headers) {
        if (name == "Retry-After") value = std::to_string(seconds);
    }
    return response;
}

std::string_view outcome_of(const LoginOutcome& outcome) {
    if (outcome) return "accepted";
    const Errc code = outcome.error().error.code;
    if (code == Errc::unauthorized) return "refused";
    return code == Errc::rate_limited ? "throttled" : "unavailable";
}

void post_session(const Request& request, const Reply& reply, const SessionDoor& door) {
    if (!door.logins) return reply.problem(no_sessions().error());
    auto login = read_login(request);
    if (!login) return reply.problem(login.error());
    const SessionTimes times = door.sessions->times();
    LoginNote note{.who = is_name(login->name) ? "operator:" + login->name : "nobody",
                   .from = login->from,
                   .correlation_id = request.context.correlation_id};
    const bool is_queued = door.logins->submit(
        *std::move(login), [reply, times, note = std::move(note),
                            note_login = door.note_login](const LoginOutcome& outcome) mutable {
            note.outcome = outcome_of(outcome);
            note_login(note);
            if (!outcome) return reply.send(refused(outcome.error(), reply.request()));
            reply.send(logged_in(*outcome, times, reply.request().context.is_secure));
        });
    if (!is_queued) reply.busy();
}

// The operators whose sessions the caller may see, all or the one that the query names.
Result<std::vector<std::string>> visible_operators(const Request& request,
                                                   const SessionDoor& door) {
    TRY(http::check_query(request, {"operator"}));
    if (!door.callers) return std::vector<std::string>();
    const std::string own(operator_of(*request.context.principal));
    const auto wanted = request.query_value("operator").value_or("");
    if (wanted.empty() && may_see_all(request)) return door.callers->operator_names();
    if (wanted.empty() && own.empty()) return std::vector<std::string>();
    if (!wanted.empty() && wanted != own && !may_see_all(request))
        return fail(Errc::forbidden, "only the scope admin shows the sessions of others");
    if (wanted.empty()) return std::vector<std::string>{own};
    return is_name(wanted) ? std::vector<std::string>{std::string(wanted)}
                           : std::vector<std::string>();
}

void get_sessions(const Request& request, const Reply& reply, const SessionDoor& door) {
    const auto names = visible_operators(request, door);
    if (!names) return reply.problem(names.error());
    Response response = with_secrets(200);
    json::Writer out(response.body);
    out.begin_object().name("items").begin_array();
    if (door.sessions) {
        const auto all = door.sessions->of_operators(*names);
        if (!all) return reply.problem(all.error());
        for (const KeptSession& one : *all)
            write_session(out, one, door.sessions->times(), request.context.principal->session);
    }
    out.end_array().name("nextCursor").null().end_object();
    reply.send(std::move(response));
}

// Finds a session that the caller may see.
Result<KeptSession> find_session(const Request& request, const SessionDoor& door) {
    const http::Principal& caller = *request.context.principal;
    const std::string_view given = request.param("handle");
    const std::string handle = given == current ? caller.session : std::string(given);
    if (door.sessions && is_session_handle(handle)) {
        const bool is_own = handle == caller.session || !may_see_all(request);
        const std::vector<std::string> names =
            is_own ? std::vector<std::string>{std::string(operator_of(caller))}
                   : door.callers->operator_names();
        const auto all = TRY(door.sessions->of_operators(names));
        for (const KeptSession& one : all) {
            if (handle_of(one.key) == handle) return one;
        }
    }
    return fail(Errc::not_found, given == current ? "this caller has no session"
                                                  : "no session of yours has this handle");
}

void get_session(const Request& request, const Reply& reply, const SessionDoor& door) {
    const auto found = find_session(request, door);
    if (!found) return reply.problem(found.error());
    Response response = with_secrets(200);
    json::Writer out(response.body);
    write_session(out, *found, door.sessions->times(), request.context.principal->session);
    reply.send(std::move(response));
}

void delete_session(const Request& request, const Reply& reply, const SessionDoor& door) {
    const auto found = find_session(request, door);
    if (!found) return reply.problem(found.error());
    const SessionKey keys[] = {found->key};
    if (const auto ended = door.sessions->end(found->session.operator_name, keys); !ended)
        return reply.problem(ended.error());
    Response response = with_secrets(204);
    response.content_type.clear();
    if (handle_of(found->key) == request.context.principal->session)
        response.headers.emplace_back("Set-Cookie",
                                      clear_session_cookie(request.context.is_secure));
    reply.send(std::move(response));
}

void delete_sessions(const Request& request, const Reply& reply, const SessionDoor& door) {
    if (request.query_value("operator").value_or("").empty())
        return reply.problem({Errc::invalid,
                              "the request is not valid",
                              {{"operator", "is required: the name of an operator", "required"}}});
    const auto names = visible_operators(request, door);
    if (!names) return reply.problem(names.error());
    std::uint64_t count = 0;
    if (door.sessions) {
        const auto all = door.sessions->of_operators(*names);
        if (!all) return reply.problem(all.error());
        std::vector<SessionKey> keys;
        for (const KeptSession& one : *all) keys.push_back(one.key);
        count = keys.size();
        if (const auto ended = door.sessions->end(names->empty() ? "" : names->front(), keys);
            !ended)
            return reply.problem(ended.error());
    }
    std::string body;
    json::Writer(body).begin_object().member("ended", count).end_object();
    reply.json(200, std::move(body));
}

using Row = http::RouteOf<SessionDoor>;

constexpr Row delete_row(std::string_view pattern, decltype(Row::handler) handler) {
    return {.method = "DELETE",
            .pattern = pattern,
            .scope = Scope::authenticated,
            .body = http::Body::none,
            .answer = http::Answer::json,
            .idempotency = http::Idempotency::none,
            .work = http::Work::query,
            .handler = handler};
}

constexpr auto rows = std::to_array<Row>({
    {.method = "POST",
     .pattern = "/api/sessions",
     .scope = Scope::everybody,
     .body = http::Body::json,
     .answer = http::Answer::json,
     .idempotency = http::Idempotency::none,
     .work = http::Work::memory,
     .handler = post_session,
     .body_bytes_max = login_bytes_max},
    http::get_row<SessionDoor>("/api/sessions", Scope::authenticated, http::Answer::json,
                               http::Work::query, get_sessions),
    http::get_row<SessionDoor>("/api/sessions/{handle}", Scope::authenticated, http::Answer::json,
                               http::Work::query, get_session),
    delete_row("/api/sessions", delete_sessions),
    delete_row("/api/sessions/{handle}", delete_session),
});
static_assert(http::is_consistent(rows));

}  // namespace

std::vector<http::Route> session_routes(const SessionDoor& door) { return http::bound(rows, door); }

std::vector<http::Route> session_route_table() { return http::unbound(rows); }

}  // namespace trackops::access
