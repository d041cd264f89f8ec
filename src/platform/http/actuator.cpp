#include "platform/http/actuator.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/build.hpp"
#include "platform/http/actuator_loggers.hpp"
#include "platform/http/actuator_metrics.hpp"
#include "platform/http/actuator_pumps.hpp"
#include "platform/json/writer.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::http {
namespace {

using telemetry::ComponentHealth;
using telemetry::SampledComponent;
using telemetry::SampledComponents;
using telemetry::Status;

struct StatusRow {
    Status status;
    std::string_view word;
    int severity;  // of several components the most severe one is the whole's
};
constexpr auto statuses = std::to_array<StatusRow>({{Status::up, "UP", 0},
                                                    {Status::down, "DOWN", 2},
                                                    {Status::out_of_service, "OUT_OF_SERVICE", 1}});
static_assert([] {
    for (std::size_t i = 0; i < statuses.size(); ++i)
        if (static_cast<std::size_t>(statuses[i].status) != i) return false;
    return statuses.size() == static_cast<std::size_t>(Status::out_of_service) + 1;
}());

const StatusRow& row(Status status) { return statuses.at(static_cast<std::size_t>(status)); }
Status worse(Status a, Status b) { return row(a).severity >= row(b).severity ? a : b; }

bool is_any(const SampledComponent&) { return true; }

// A group of components that has a health of its own.
struct Group {
    std::string_view name;
    bool (*includes)(const SampledComponent&);
};
constexpr Group liveness{"liveness", [](const SampledComponent&) { return false; }};
constexpr Group readiness{
    "readiness", [](const SampledComponent& component) { return component.in_readiness(); }};
constexpr std::array groups{liveness, readiness};

void write_health(json::Writer& writer, const ComponentHealth& health) {
    writer.begin_object().member("status", row(health.status).word);
    if (!health.details.empty()) {
        writer.name("details").begin_object();
        for (const auto& [name, value] : health.details) writer.member(name, value);
        writer.end_object();
    }
    writer.end_object();
}

Response answer(const Request& request, Status status, std::string body) {
    return {.status = status == Status::up ? 200 : 503,
            .content_type = std::string(actuator_type(request)),
            .body = std::move(body)};
}

struct Aggregate {
    Status status = Status::up;
    std::string components = {};  // a JSON object
};

Aggregate aggregate(const SampledComponents& components,
                    bool (*includes)(const SampledComponent&)) {
    Aggregate whole;
    json::Writer writer(whole.components);
    writer.begin_object();
    for (const auto& component : components) {
        if (!includes(*component)) continue;
        const ComponentHealth health = component->health();
        whole.status = worse(whole.status, health.status);
        write_health(writer.name(component->name()), health);
    }
    writer.end_object();
    return whole;
}

Response whole_health(const Request& request, const SampledComponents& components) {
    const Aggregate whole = aggregate(components, is_any);
    std::string body;
    json::Writer writer(body);
    writer.begin_object().member("status", row(whole.status).word).name("groups").begin_array();
    for (const Group& group : groups) writer.value(group.name);
    writer.end_array().name("components").raw(whole.components).end_object();
    return answer(request, whole.status, std::move(body));
}

Response ready(const Request& request, const Actuator& actuator) {
    Aggregate group = aggregate(*actuator.components, readiness.includes);
    if (!actuator.takes_traffic()) group.status = worse(group.status, Status::out_of_service);
    std::string body;
    json::Writer writer(body);
    writer.begin_object().member("status", row(group.status).word);
    // The components tell of versions and folders, which are not for everybody.
    if (request.context.principal->scopes.contains(Scope::metrics_read))
        writer.name("components").raw(group.components);
    writer.end_object();
    return answer(request, group.status, std::move(body));
}

Response one_component(const Request& request, const SampledComponents& components,
                       bool (*includes)(const SampledComponent&)) {
    for (const auto& component : components) {
        if (component->name() != request.param("component") || !includes(*component)) continue;
        const ComponentHealth health = component->health();
        std::string body;
        json::Writer writer(body);
        write_health(writer, health);
        return answer(request, health.status, std::move(body));
    }
    return problem({Errc::not_found, "no such component"}, request);
}

Response component_of_group(const Request& request, const SampledComponents& components) {
    for (const Group& group : groups) {
        if (group.name == request.param("group"))
            return one_component(request, components, group.includes);
    }
    return problem({Errc::not_found, "no such group"}, request);
}

// Returns the links to the other endpoints, for browsers and Spring Boot Admin.
Response index(const Request& request) {
    struct Link {
        std::string_view name;
        std::string_view path;
    };
    constexpr auto links =
        std::to_array<Link>({{"self", ""},
                             {"env", "/env"},
                             {"env-toMatch", "/env/{toMatch}"},
                             {"health", "/health"},
                             {"health-path", "/health/{*path}"},
                             {"info", "/info"},
                             {"loggers", "/loggers"},
                             {"loggers-name", "/loggers/{name}"},
                             {"metrics", "/metrics"},
                             {"metrics-requiredMetricName", "/metrics/{requiredMetricName}"},
                             {"pumps", "/pumps"},
                             {"prometheus", "/prometheus"}});
    const std::string base =
        fmt::format("http://{}/actuator", request.header("host").value_or("localhost"));
    std::string body;
    json::Writer writer(body);
    writer.begin_object().name("_links").begin_object();
    for (const auto& link : links) {
        writer.name(link.name).begin_object().member("href", base + std::string(link.path));
        writer.member("templated", link.path.find('{') != std::string_view::npos).end_object();
    }
    writer.end_object().end_object();
    return answer(request, Status::up, std::move(body));
}

std::string info(const Actuator& actuator) {
    const std::string& service = actuator.service;
    std::string text;
    json::Writer writer(text);
    writer.begin_object();
    writer.name("app").begin_object().member("name", service).member("version", version);
    writer.end_object();
    writer.name("build").begin_object().member("name", service).member("version", version);
    writer.member("compiler", compiler);
    if (!actuator.libraries.empty()) {
        writer.name("libraries").begin_object();
        for (const auto& [name, library_version] : actuator.libraries)
            writer.member(name, library_version);
        writer.end_object();
    }
    writer.end_object();
    if (commit() != "unknown") {
        writer.name("git").begin_object().name("commit").begin_object();
        writer.member("id", commit()).end_object().end_object();
    }
    if (!actuator.access_warning.empty()) {
        writer.name("access").begin_object();
        writer.member("warning", actuator.access_warning).end_object();
    }
    writer.end_object();
    return text;
}

// Everything that the handlers need.
struct Context {
    Actuator actuator;
    std::string about;  // the body of /actuator/info

    const SampledComponents& components() const { return *actuator.components; }
};

void get_index(const Request& request, const Reply& reply, const Context&) {
    reply.send(index(request));
}

void get_health(const Request& request, const Reply& reply, const Context& context) {
    reply.send(whole_health(request, context.components()));
}

void get_liveness(const Request& request, const Reply& reply, const Context&) {
    reply.send(answer(request, Status::up, R"({"status":"UP"})"));
}

void get_readiness(const Request& request, const Reply& reply, const Context& context) {
    reply.send(ready(request, context.actuator));
}

void get_component(const Request& request, const Reply& reply, const Context& context) {
    reply.send(one_component(request, context.components(), is_any));
}

void get_component_of_group(const Request& request, const Reply& reply, const Context& context) {
    reply.send(component_of_group(request, context.components()));
}

void get_info(const Request& request, const Reply& reply, const Context& context) {
    reply.send(answer(request, Status::up, context.about));
}

void get_metrics(const Request& request, const Reply& reply, const Context& context) {
    reply.send(metric_names(request, context.actuator.metrics));
}

void get_metric(const Request& request, const Reply& reply, const Context& context) {
    reply.send(one_metric(request, context.actuator.metrics));
}

void get_prometheus(const Request& request, const Reply& reply, const Context& context) {
    reply.send(all_metrics(request, context.actuator.metrics));
}

void get_loggers(const Request& request, const Reply& reply, const Context&) {
    reply.send(all_loggers(request));
}

void get_logger(const Request& request, const Reply& reply, const Context&) {
    reply.send(one_logger(request));
}

void post_logger(const Request& request, const Reply& reply, const Context&) {
    reply.send(set_logger(request));
}

void get_settings(const Request& request, const Reply& reply, const Context& context) {
    reply.send(all_settings(request, context.actuator.settings));
}

void get_setting(const Request& request, const Reply& reply, const Context& context) {
    reply.send(one_setting(request, context.actuator.settings));
}

void get_pumps(const Request& request, const Reply& reply, const Context& context) {
    reply.send(all_pumps(request, context.actuator.pumps()));
}

using Row = RouteOf<Context>;

// Every endpoint is answered from memory, so that none can be held up by a server that stands
// still.
constexpr Row get(std::string_view pattern, Scope scope, Answer kind,
                  decltype(Row::handler) handler) {
    return get_row<Context>(pattern, scope, kind, Work::memory, handler);
}

constexpr std::size_t logger_body_bytes_max = 1024;

constexpr auto rows = std::to_array<Row>({
    get("/actuator", Scope::metrics_read, Answer::json, get_index),
    get("/actuator/health", Scope::metrics_read, Answer::json, get_health),
    get("/actuator/health/liveness", Scope::everybody, Answer::json, get_liveness),
    get("/actuator/health/readiness", Scope::everybody, Answer::json, get_readiness),
    get("/actuator/health/{component}", Scope::metrics_read, Answer::json, get_component),
    get("/actuator/health/{group}/{component}", Scope::metrics_read, Answer::json,
        get_component_of_group),
    get("/actuator/info", Scope::metrics_read, Answer::json, get_info),
    get("/actuator/metrics", Scope::metrics_read, Answer::json, get_metrics),
    get("/actuator/metrics/{name}", Scope::metrics_read, Answer::json, get_metric),
    get("/actuator/prometheus", Scope::metrics_read, Answer::text, get_prometheus),
    get("/actuator/loggers", Scope::metrics_read, Answer::json, get_loggers),
    get("/actuator/loggers/{name}", Scope::metrics_read, Answer::json, get_logger),
    {.method = "POST",
     .pattern = "/actuator/loggers/{name}",
     .scope = Scope::operate,
     .body = Body::json,
     .answer = Answer::json,
     .idempotency = Idempotency::none,
     .work = Work::memory,
     .handler = post_logger,
     .body_bytes_max = logger_body_bytes_max},
    get("/actuator/env", Scope::operate, Answer::json, get_settings),
    get("/actuator/env/{name}", Scope::operate, Answer::json, get_setting),
    get("/actuator/pumps", Scope::metrics_read, Answer::json, get_pumps),
});
static_assert(is_consistent(rows));

}  // namespace

std::vector<Route> actuator_routes(const Actuator& actuator) {
    return bound(rows, Context{actuator, info(actuator)});
}

std::vector<Route> actuator_route_table() { return unbound(rows); }

}  // namespace trackops::http
