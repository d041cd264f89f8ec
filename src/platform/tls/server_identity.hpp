// The certificate of a running service, its key, and the CA of its clients: files that are read
// again when they change.
#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"
#include "platform/runtime/pump.hpp"
#include "platform/tls/context.hpp"

namespace trackops {
class Clock;
}
namespace trackops::telemetry {
class Counter;
class Gauge;
class Registry;
}  // namespace trackops::telemetry

namespace trackops::tls {

struct IdentityFiles {
    std::string certificates;    // as Credentials::certificates
    std::string key;             // as Credentials::key
    std::string client_ca = {};  // "": clients need no certificate
};

// As a pump it reads the files every `interval` and takes a changed set, so that a new certificate
// is shown within a second. A set that cannot be read, or does not fit together, is refused with
// one line in the log, and the last good one stays. Open connections keep theirs. Metrics:
// - trackops_tls_file_reads_total {outcome}: accepted, refused
// - trackops_tls_files_in_force: 0 while the present files are refused
// - trackops_tls_certificate_expires_seconds: the end of the certificate, since 1970
class ServerIdentity final : public runtime::Pump {
public:
    static constexpr Duration interval = std::chrono::milliseconds(500);

    // Reads the files. `clock` and `metrics` outlive this. Throws std::runtime_error with the
    // reason if they cannot be used.
    ServerIdentity(IdentityFiles files, const Clock& clock, telemetry::Registry& metrics);

    // Returns the context of new connections; not null. Thread-safe.
    std::shared_ptr<const Context> context() const;
    runtime::Progress run(Duration max_wait) override;

private:
    struct Version {
        Credentials own;
        std::string client_ca;
        std::string digest;
    };
    Result<Version> read() const;
    Result<void> take(const Version& version);
    void refuse(const Error& error);

    const IdentityFiles files_;
    const Clock& clock_;
    telemetry::Counter& accepted_;
    telemetry::Counter& refused_;
    telemetry::Gauge& in_force_;
    telemetry::Gauge& expires_;

    mutable std::mutex mutex_;
    std::shared_ptr<const Context> context_;  // guarded by mutex_

    // The members below belong to the pump.
    std::string in_force_digest_;
    std::string told_;  // the refusal that the log has, while it lasts
};

}  // namespace trackops::tls
