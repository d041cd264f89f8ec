#include "platform/tls/server_identity.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/telemetry/metrics.hpp"
#include "testing/certificates.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::tls {
namespace {

using trackops::testing::Authority;
using trackops::testing::Issued;

class ServerIdentityTest : public ::testing::Test {
protected:
    ServerIdentityTest() { write(first_); }

    void write(const std::string& file, const std::string& text) const {
        std::ofstream(folder_ / file) << text;
    }
    void write(const Issued& issued) const {
        write("certificate", issued.certificate);
        write("key", issued.key);
    }
    IdentityFiles files() const { return {folder_ / "certificate", folder_ / "key"}; }
    double in_force() { return metrics_.gauge("trackops_tls_files_in_force", "").value(); }
    double reads(const std::string& outcome) {
        return metrics_.counter("trackops_tls_file_reads_total", "", {{"outcome", outcome}})
            .value();
    }

    const Authority authority_{"the authority"};
    const Issued first_ = authority_.issue("a", std::chrono::hours(1));
    const Issued second_ = authority_.issue("a", std::chrono::hours(2));
    const trackops::testing::TemporaryFolder temporary_;
    const std::filesystem::path folder_ = temporary_.path();
    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;
};

TEST_F(ServerIdentityTest, TakesAPairThatHasChanged) {
    ServerIdentity identity(files(), clock_, metrics_);
    const auto before = identity.context();
    EXPECT_EQ(identity.run({}).done, 0U);
    EXPECT_EQ(identity.context(), before) << "nothing has changed";
    write(second_);
    EXPECT_EQ(identity.run({}).done, 1U);
    EXPECT_NE(identity.context(), before);
    EXPECT_GT(identity.context()->expires_at(), before->expires_at());
    EXPECT_EQ(metrics_.gauge("trackops_tls_certificate_expires_seconds", "").value(),
              static_cast<double>(identity.context()->expires_at().micros / 1'000'000));
    EXPECT_EQ(reads("accepted"), 2);
    EXPECT_EQ(in_force(), 1);
}

TEST_F(ServerIdentityTest, KeepsTheOldPairWhileTheNewOneIsBad) {
    ServerIdentity identity(files(), clock_, metrics_);
    const auto before = identity.context();
    write("certificate", second_.certificate);  // and the key of the first one
    for (int i = 0; i < 3; ++i) EXPECT_EQ(identity.run({}).done, 0U);
    EXPECT_EQ(identity.context(), before);
    EXPECT_EQ(in_force(), 0);
    EXPECT_EQ(reads("refused"), 1) << "it is told once";
    std::filesystem::remove(folder_ / "key");
    identity.run({});
    EXPECT_EQ(reads("refused"), 2) << "another reason";
    write(first_);
    identity.run({});
    EXPECT_EQ(in_force(), 1) << "the old pair is back";
    write("key", second_.key);
    write("certificate", second_.certificate);
    identity.run({});
    EXPECT_NE(identity.context(), before);
    EXPECT_EQ(in_force(), 1);
}

TEST_F(ServerIdentityTest, DoesNotBeginWithFilesThatCannotBeUsed) {
    write("key", second_.key);
    EXPECT_THROW(ServerIdentity(files(), clock_, metrics_), std::runtime_error);
    IdentityFiles with_empty_ca = files();
    write(first_);
    write("ca", "");
    with_empty_ca.client_ca = folder_ / "ca";
    EXPECT_THROW(ServerIdentity(with_empty_ca, clock_, metrics_), std::runtime_error)
        << "an empty file would let every client in";
    IdentityFiles absent = files();
    absent.key = folder_ / "nowhere";
    EXPECT_THROW(ServerIdentity(absent, clock_, metrics_), std::runtime_error);
}

}  // namespace
}  // namespace trackops::tls
