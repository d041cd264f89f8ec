// The settings of TLS, and the certificate of a running program.
#pragma once
#include <memory>
#include <string>

#include "platform/config/settings.hpp"

namespace trackops {
class Clock;
}
namespace trackops::runtime {
class PumpThreads;
}
namespace trackops::telemetry {
class Registry;
}
namespace trackops::tls {
class Context;
class ServerIdentity;
}  // namespace trackops::tls

namespace trackops::apps {

// The following read listen_settings.

// Returns the fault of these settings that the table cannot express; "" for none.
std::string fault_of_tls(const config::Values& values);
bool has_tls(const config::Values& values);

// Returns the context of a client that asks a service with these settings on this machine; null
// without TLS. It shows the service's own certificate where clients need one.
std::shared_ptr<const tls::Context> local_client_context(const config::Values& values);

// The certificate of a program.
class Tls {
public:
    // Reads the files that the settings name, and looks at them again and again on a thread of its
    // own. `clock` and `metrics` outlive this. Throws std::runtime_error if they cannot be used.
    Tls(const config::Values& values, const Clock& clock, telemetry::Registry& metrics);
    ~Tls();
    Tls(const Tls&) = delete;
    Tls& operator=(const Tls&) = delete;

    // Returns null without TLS. It lives as long as this.
    const tls::ServerIdentity* identity() const { return identity_.get(); }

private:
    std::unique_ptr<tls::ServerIdentity> identity_;
    std::unique_ptr<runtime::PumpThreads> threads_;
};

}  // namespace trackops::apps
