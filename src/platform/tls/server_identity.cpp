#include "platform/tls/server_identity.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <openssl/sha.h>

#include "base/clock.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::tls {
namespace {

telemetry::Counter& reads(telemetry::Registry& metrics, const std::string& outcome) {
    return metrics.counter("trackops_tls_file_reads_total",
                           "Versions of the certificate and its key that were read",
                           {{"outcome", outcome}});
}

// The key need not be in memory once more for the sake of a comparison.
std::string digest_of(std::initializer_list<std::string_view> texts) {
    std::string digests;
    for (const std::string_view text : texts) {
        std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
        SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
        digests.append(reinterpret_cast<const char*>(digest.data()), digest.size());
    }
    return digests;
}

}  // namespace

ServerIdentity::ServerIdentity(IdentityFiles files, const Clock& clock,
                               telemetry::Registry& metrics)
    : files_(std::move(files)),
      clock_(clock),
      accepted_(reads(metrics, "accepted")),
      refused_(reads(metrics, "refused")),
      in_force_(metrics.gauge("trackops_tls_files_in_force",
                              "1 unless the present certificate and key are refused")),
      expires_(metrics.gauge("trackops_tls_certificate_expires_seconds",
                             "The end of the certificate that is shown, since 1970")) {
    auto version = read();
    const auto taken = version ? take(*version) : Result<void>(std::unexpected(version.error()));
    if (!taken) throw std::runtime_error("TLS: " + taken.error().detail);
}

std::shared_ptr<const Context> ServerIdentity::context() const {
    const std::lock_guard lock(mutex_);
    return context_;
}

Result<ServerIdentity::Version> ServerIdentity::read() const {
    Version version;
    version.own.certificates = TRY(read_pem_file(files_.certificates));
    auto key = TRY(read_pem_file(files_.key));
    version.own.key = Secret(std::move(key));
    if (!files_.client_ca.empty()) version.client_ca = TRY(read_pem_file(files_.client_ca));
    version.digest =
        digest_of({version.own.certificates, version.own.key.reveal(), version.client_ca});
    return version;
}

runtime::Progress ServerIdentity::run(Duration) {
    const auto version = read();
    if (!version) {
        refuse(version.error());
        return {0, interval};
    }
    if (version->digest == in_force_digest_) {
        if (!std::exchange(told_, {}).empty()) in_force_.set(1);  // the old files are back
        return {0, interval};
    }
    const auto taken = take(*version);
    if (!taken) {
        refuse(taken.error());
        return {0, interval};
    }
    telemetry::log(telemetry::Level::info, "tls", "the certificate has changed",
                   {{"file", files_.certificates}, {"ends", context()->expires_at().text()}});
    return {1, interval};
}

Result<void> ServerIdentity::take(const Version& version) {
    auto made = make_server_context(version.own, version.client_ca);
    if (!made) {
        return fail(Errc::invalid, fmt::format("{} with the key {}: {}", files_.certificates,
                                               files_.key, made.error().detail));
    }
    if (!files_.client_ca.empty() && version.client_ca.empty())
        return fail(Errc::invalid, files_.client_ca + ": there is no certificate in PEM");
    accepted_.add();
    in_force_.set(1);
    told_.clear();
    in_force_digest_ = version.digest;
    const Instant end = (*made)->expires_at();
    expires_.set(static_cast<double>(end.micros) / 1e6);
    if (end < clock_.now()) {
        telemetry::log(telemetry::Level::error, "tls", "the certificate has expired",
                       {{"file", files_.certificates}, {"ended", end.text()}});
    }
    const std::lock_guard lock(mutex_);
    context_ = *std::move(made);
    return {};
}

void ServerIdentity::refuse(const Error& error) {
    in_force_.set(0);
    if (error.detail == told_) return;
    refused_.add();
    telemetry::log(telemetry::Level::error, "tls",
                   "the certificate is refused; the one before it stays",
                   {{"reason", error.detail}});
    told_ = error.detail;
}

}  // namespace trackops::tls
