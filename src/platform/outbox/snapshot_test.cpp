#include "platform/outbox/snapshot.hpp"

#include <gtest/gtest.h>

namespace trackops::outbox {
namespace {

TEST(Snapshot, ReadsWhatPostgresWrites) {
    const auto busy = Snapshot::parse("735:740:735,738");
    ASSERT_TRUE(busy);
    EXPECT_EQ(busy->xmax, 740U);
    EXPECT_EQ(busy->xip, "735,738");
    EXPECT_EQ(busy->text, "735:740:735,738");
    EXPECT_EQ(Snapshot::parse("9:18446744073709551615:")->xmax, UINT64_MAX);
    EXPECT_EQ(Snapshot::parse(snapshot_before_everything)->xip, "");
}

TEST(Snapshot, SeesWhatHadEndedWhenItWasTaken) {
    const auto busy = Snapshot::parse("735:740:735,738");
    std::string seen;
    for (std::uint64_t xid = 733; xid < 743; ++xid) seen += busy->sees(xid) ? '+' : '-';
    EXPECT_EQ(seen, "++-++-+---");
    EXPECT_FALSE(Snapshot::parse(snapshot_before_everything)->sees(1));
    EXPECT_TRUE(Snapshot::parse("9:9:")->sees(8));
    EXPECT_FALSE(Snapshot::parse("9:9:")->sees(9));
}

TEST(Snapshot, RefusesEverythingElse) {
    for (const auto* text :
         {"", ":", "::", "1:2", "1:x:", "1:2:3;4", "1:18446744073709551616:", "1:-2:"}) {
        EXPECT_FALSE(Snapshot::parse(text)) << text;
    }
}

}  // namespace
}  // namespace trackops::outbox
