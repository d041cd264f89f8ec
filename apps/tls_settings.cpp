#include "apps/tls_settings.hpp"

#include "platform/runtime/pump_threads.hpp"
#include "platform/tls/context.hpp"
#include "platform/tls/server_identity.hpp"

namespace trackops::apps {

std::string fault_of_tls(const config::Values& values) {
    const bool has_certificate = !values.text("tls-cert-file").empty();
    if (has_certificate != !values.text("tls-key-file").empty())
        return "tls-cert-file and tls-key-file are given together or not at all";
    if (!has_certificate && !values.text("tls-client-ca-file").empty())
        return "tls-client-ca-file is given without tls-cert-file";
    return {};
}

bool has_tls(const config::Values& values) { return !values.text("tls-cert-file").empty(); }

std::shared_ptr<const tls::Context> local_client_context(const config::Values& values) {
    if (!has_tls(values)) return nullptr;
    tls::Credentials own;
    if (!values.text("tls-client-ca-file").empty()) {
        own.certificates = tls::read_pem_file(values.text("tls-cert-file")).value_or("");
        own.key = Secret(tls::read_pem_file(values.text("tls-key-file")).value_or(""));
    }
    return tls::make_unverified_client_context(own);
}

Tls::Tls(const config::Values& values, const Clock& clock, telemetry::Registry& metrics) {
    if (!has_tls(values)) return;
    identity_ = std::make_unique<tls::ServerIdentity>(
        tls::IdentityFiles{values.text("tls-cert-file"), values.text("tls-key-file"),
                           values.text("tls-client-ca-file")},
        clock, metrics);
    threads_ = std::make_unique<runtime::PumpThreads>(metrics);
    threads_->add("tls", *identity_);
}

Tls::~Tls() = default;

}  // namespace trackops::apps
