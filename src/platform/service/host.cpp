#include "platform/service/host.hpp"

#include <algorithm>
#include <iterator>

#include "platform/http/server.hpp"

namespace trackops::service {
namespace {

std::vector<http::Route> all_routes(Application& application, const Management& management) {
    std::vector<http::Route> routes = application.routes();
    std::ranges::move(management.api_routes(), std::back_inserter(routes));
    return routes;
}

}  // namespace

Host::Host(Application& application, const HostOptions& options, const Clock& clock, Ids& ids,
           telemetry::Registry& metrics)
    : application_(application),
      management_(application, options.management, options.edge, clock, ids, metrics),
      threads_(metrics),
      server_(http::make_server({.address = options.address,
                                 .port = options.port,
                                 .budget = options.budget,
                                 .edge = options.edge,
                                 .tracer = options.tracer},
                                all_routes(application, management_), clock, ids, metrics)) {
    management_.show_pumps([this] { return threads_.states(); });
}

Host::~Host() { stop(Duration::zero()); }

void Host::start() {
    threads_.add(management_.pumps());
    threads_.add(application_.pumps());
    threads_.add(application_.samplers());
    management_.start();
    server_->start();
}

std::uint16_t Host::port() const { return server_->port(); }

void Host::stop(Duration drain_within) {
    management_.refuse_traffic();
    server_->drain(drain_within);
    application_.release_waiting();
    threads_.stop();
    application_.close();
    management_.stop();
}

}  // namespace trackops::service
