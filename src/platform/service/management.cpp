#include "platform/service/management.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "platform/http/actuator.hpp"
#include "platform/http/server.hpp"
#include "platform/service/disk_space.hpp"
#include "platform/service/sampler.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::service {
namespace {

// A start does not wait longer for the first answers: a component without one is DOWN.
constexpr Duration first_answer_within = std::chrono::seconds(1);
constexpr Duration process_interval = std::chrono::seconds(1);

std::shared_ptr<telemetry::SampledComponents> sampled(
    std::vector<telemetry::Component> components) {
    auto all = std::make_shared<telemetry::SampledComponents>();
    for (auto& component : components)
        all->push_back(std::make_unique<telemetry::SampledComponent>(std::move(component)));
    return all;
}

std::vector<telemetry::Component> with_own_components(std::vector<telemetry::Component> components,
                                                      const ManagementOptions& options) {
    std::ranges::copy(options.components, std::back_inserter(components));
    if (!options.data_folder.empty())
        components.push_back(
            disk_space_component(options.data_folder, options.disk_free_min_bytes));
    if (!options.access_warning.empty()) {
        components.push_back({.name = "access",
                              .ask =
                                  [warning = options.access_warning] {
                                      return telemetry::ComponentHealth{
                                          .details = {{"warning", warning}}};
                                  },
                              .in_readiness = false});
    }
    return components;
}

// The registry may keep the callback longer than the service lives, hence the shared pointer.
void show_components(std::shared_ptr<const telemetry::SampledComponents> components,
                     telemetry::Registry& metrics) {
    metrics.on_scrape([components = std::move(components), &metrics] {
        for (const auto& component : *components) {
            metrics
                .gauge("trackops_component_up", "1 while the component of the health is UP.",
                       {{"component", component->name()}})
                .set(component->health().status == telemetry::Status::up ? 1 : 0);
        }
    });
}

}  // namespace

class Management::ProcessPump final : public runtime::Pump {
public:
    explicit ProcessPump(telemetry::Registry& metrics) : process_(metrics) {}
    runtime::Progress run(Duration) override {
        process_.sample();
        return {1, process_interval};
    }

private:
    telemetry::ProcessMetrics process_;
};

std::optional<ListenAddress> ListenAddress::parse(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const bool is_bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
    if (is_bracketed) host = host.substr(1, host.size() - 2);
    if (!is_bracketed && host.find_first_of(":[]") != std::string_view::npos) return std::nullopt;
    const std::string_view digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (fault != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return ListenAddress{std::string(host), port};
}

Management::Management(Application& application, const ManagementOptions& options,
                       const http::EdgeOptions& edge, const Clock& clock, Ids& ids,
                       telemetry::Registry& metrics)
    : service_(application.name()),
      options_(options),
      metrics_(metrics),
      components_(sampled(with_own_components(application.components(), options))),
      listener_metrics_(options.listen ? std::make_unique<telemetry::Registry>() : nullptr) {
    for (const auto& component : *components_)
        samplers_.push_back(std::make_unique<Sampler>(*component));
    samplers_.push_back(std::make_unique<ProcessPump>(metrics));
    show_components(components_, metrics);
    metrics.gauge("trackops_insecure", "1 if the service was told to start without a protection")
        .set(options.access_warning.empty() ? 0 : 1);
    if (!options.listen) return;
    http::EdgeOptions listener_edge = edge;
    listener_edge.query_workers = 1;  // every endpoint is answered from memory
    listener_edge.bulk_workers = 1;
    // The network decides who reaches that listener; probes and scrapers have no credentials.
    listener_edge.identifier = nullptr;
    listener_edge.rate_limits = {};
    listener_ = http::make_server({.address = options.listen->host,
                                   .port = options.listen->port,
                                   .edge = std::move(listener_edge)},
                                  routes(), clock, ids, *listener_metrics_);
}

Management::~Management() = default;

std::vector<http::Route> Management::routes() const {
    return http::actuator_routes({.service = service_,
                                  .components = components_,
                                  .metrics = metrics_,
                                  .takes_traffic = [this] { return takes_traffic_.load(); },
                                  .access_warning = options_.access_warning,
                                  .pumps = [this] { return pump_states_(); },
                                  .settings = options_.settings,
                                  .libraries = options_.libraries});
}

std::vector<http::Route> Management::api_routes() const {
    return listener_ ? std::vector<http::Route>() : routes();
}

std::vector<runtime::NamedPump> Management::pumps() {
    std::vector<runtime::NamedPump> pumps;
    for (std::size_t i = 0; i < components_->size(); ++i)
        pumps.push_back({"health-" + (*components_)[i]->name(), *samplers_[i]});
    pumps.push_back({"process", *samplers_.back()});
    return pumps;
}

void Management::start() {
    const auto until = std::chrono::steady_clock::now() + first_answer_within;
    for (const auto& component : *components_) {
        component->wait_for_first(
            std::chrono::ceil<Duration>(until - std::chrono::steady_clock::now()));
    }
    if (listener_) listener_->start();
}

std::uint16_t Management::port() const { return listener_ ? listener_->port() : 0; }

void Management::stop() {
    if (listener_) listener_->drain(Duration::zero());
}

}  // namespace trackops::service
