#include "platform/http/actuator.hpp"

#include <array>
#include <chrono>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "platform/json/writer.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::http {
namespace {

using telemetry::Component;
using telemetry::ComponentHealth;
using telemetry::Status;

constexpr auto health_cache_time = std::chrono::seconds(1);
constexpr std::string_view spring_type = "application/vnd.spring-boot.actuator.v3+json";

std::string_view word(Status status) {
    switch (status) {
        case Status::up:
            return "UP";
        case Status::down:
            return "DOWN";
        case Status::out_of_service:
            return "OUT_OF_SERVICE";
    }
    return "UNKNOWN";
}

// A component and its latest health, cached so that frequent probes do not load the component.
// Thread-safe: callers that arrive during a probe wait for its result.
class Probe {
public:
    Probe(Component component, SteadyNow now)
        : component_(std::move(component)), now_(std::move(now)) {}
    const std::string& name() const { return component_.name; }
    bool in_readiness() const { return component_.in_readiness; }

    ComponentHealth ask() {
        const std::lock_guard lock(mutex_);
        if (asked_at_ && now_() - *asked_at_ < health_cache_time) return last_;
        try {
            last_ = component_.ask();
        } catch (const std::exception& error) {
            last_ = {Status::down, {{"error", error.what()}}};
        }
        asked_at_ = now_();
        return last_;
    }

private:
    const Component component_;
    const SteadyNow now_;
    std::mutex mutex_;
    std::optional<std::chrono::steady_clock::time_point> asked_at_;
    ComponentHealth last_;
};

using Probes = std::vector<std::unique_ptr<Probe>>;

// Returns Spring's own media type unless the client accepts plain JSON and not Spring's.
std::string content_type(const Request& request) {
    const auto accept = request.header("accept").value_or("");
    const bool wants_spring = accept.find("spring-boot.actuator") != std::string_view::npos;
    const bool wants_plain = accept.find("application/json") != std::string_view::npos;
    return std::string(wants_plain && !wants_spring ? "application/json" : spring_type);
}

void write_health(json::Writer& writer, const ComponentHealth& health) {
    writer.begin_object().member("status", word(health.status));
    if (!health.details.empty()) {
        writer.name("details").begin_object();
        for (const auto& [name, value] : health.details) writer.member(name, value);
        writer.end_object();
    }
    writer.end_object();
}

Response answer(const Request& request, Status status, std::string body) {
    return {.status = status == Status::up ? 200 : 503,
            .content_type = content_type(request),
            .body = std::move(body)};
}

// Aggregates the components that `included` accepts; the overall status is the worst of theirs.
template <class Included>
Response aggregate(const Request& request, const Probes& probes, Included included) {
    constexpr auto severity = [](Status status) {
        return status == Status::down ? 2 : status == Status::out_of_service ? 1 : 0;
    };
    Status worst = Status::up;
    std::string components;
    json::Writer writer(components);
    writer.begin_object();
    for (const auto& probe : probes) {
        if (!included(*probe)) continue;
        const auto health = probe->ask();
        if (severity(health.status) > severity(worst)) worst = health.status;
        write_health(writer.name(probe->name()), health);
    }
    writer.end_object();
    std::string body;
    json::Writer(body)
        .begin_object()
        .member("status", word(worst))
        .name("components")
        .raw(components)
        .end_object();
    return answer(request, worst, std::move(body));
}

Response one(const Request& request, const Probes& probes) {
    for (const auto& probe : probes) {
        if (probe->name() != request.param("component")) continue;
        const auto health = probe->ask();
        std::string body;
        json::Writer writer(body);
        write_health(writer, health);
        return answer(request, health.status, std::move(body));
    }
    return problem({Errc::not_found, "no such component"}, request);
}

// Returns the links to the other endpoints, for browsers and Spring Boot Admin.
Response index(const Request& request) {
    struct Link {
        std::string_view name;
        std::string_view path;
    };
    constexpr auto links = std::to_array<Link>({{"self", ""},
                                                {"health", "/health"},
                                                {"health-path", "/health/{*path}"},
                                                {"info", "/info"},
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

// Everything that the handlers need.
struct Actuator {
    std::shared_ptr<const Probes> probes;
    std::string about;  // the body of /actuator/info
    telemetry::Registry& metrics;
};

void get_index(const Request& request, const Reply& reply, const Actuator&) {
    reply.send(index(request));
}

void get_health(const Request& request, const Reply& reply, const Actuator& actuator) {
    reply.send(aggregate(request, *actuator.probes, [](const Probe&) { return true; }));
}

void get_liveness(const Request& request, const Reply& reply, const Actuator&) {
    reply.send(answer(request, Status::up, R"({"status":"UP"})"));
}

void get_readiness(const Request& request, const Reply& reply, const Actuator& actuator) {
    reply.send(aggregate(request, *actuator.probes,
                         [](const Probe& probe) { return probe.in_readiness(); }));
}

void get_component(const Request& request, const Reply& reply, const Actuator& actuator) {
    reply.send(one(request, *actuator.probes));
}

void get_info(const Request& request, const Reply& reply, const Actuator& actuator) {
    reply.send(answer(request, Status::up, actuator.about));
}

void get_metrics(const Request&, const Reply& reply, const Actuator& actuator) {
    reply.send({.content_type = "text/plain; version=0.0.4; charset=utf-8",
                .body = actuator.metrics.prometheus_text()});
}

using Row = RouteOf<Actuator>;

constexpr Row row(std::string_view pattern, Scope scope, Answer kind, Work work,
                  decltype(Row::handler) handler) {
    return {.method = "GET",
            .pattern = pattern,
            .scope = scope,
            .body = Body::none,
            .answer = kind,
            .idempotency = Idempotency::none,
            .work = work,
            .handler = handler};
}

constexpr auto rows = std::to_array<Row>({
    row("/actuator", Scope::everybody, Answer::json, Work::memory, get_index),
    row("/actuator/health", Scope::everybody, Answer::json, Work::query, get_health),
    row("/actuator/health/liveness", Scope::everybody, Answer::json, Work::memory, get_liveness),
    row("/actuator/health/readiness", Scope::everybody, Answer::json, Work::query, get_readiness),
    row("/actuator/health/{component}", Scope::everybody, Answer::json, Work::query, get_component),
    row("/actuator/info", Scope::everybody, Answer::json, Work::memory, get_info),
    row("/actuator/prometheus", Scope::metrics_read, Answer::text, Work::query, get_metrics),
});
static_assert(is_consistent(rows));

std::string info_body(const ActuatorInfo& info) {
    std::string body;
    json::Writer(body)
        .begin_object()
        .name("app")
        .begin_object()
        .member("name", info.service)
        .member("version", info.version)
        .end_object()
        .end_object();
    return body;
}

}  // namespace

std::vector<Route> actuator_routes(const ActuatorInfo& info, std::vector<Component> components,
                                   telemetry::Registry& metrics, const SteadyNow& now) {
    auto probes = std::make_shared<Probes>();
    for (auto& component : components)
        probes->push_back(std::make_unique<Probe>(std::move(component), now));
    return bound(rows, Actuator{std::move(probes), info_body(info), metrics});
}

std::vector<Route> actuator_route_table() { return unbound(rows); }

}  // namespace trackops::http
