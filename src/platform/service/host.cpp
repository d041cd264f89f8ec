#include "platform/service/host.hpp"

#include "platform/http/server.hpp"

namespace trackops::service {

Host::Host(Application& application, const HostOptions& options, const Clock& clock, Ids& ids,
           telemetry::Registry& metrics)
    : application_(application),
      threads_(metrics),
      server_(http::make_server(
          {.address = options.address, .port = options.port, .edge = options.edge},
          application.routes(), clock, ids, metrics)) {}

Host::~Host() { stop(Duration::zero()); }

void Host::start() {
    threads_.add(application_.pumps());
    server_->start();
}

std::uint16_t Host::port() const { return server_->port(); }

void Host::stop(Duration drain_within) {
    server_->drain(drain_within);
    application_.release_waiting();
    threads_.stop();
    application_.close();
}

}  // namespace trackops::service
