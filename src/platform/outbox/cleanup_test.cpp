#include "platform/outbox/cleanup.hpp"

#include <gtest/gtest.h>

#include "platform/idempotency/keys.hpp"
#include "platform/outbox/cleanup_for_tests.hpp"
#include "platform/relay/lease.hpp"
#include "platform/relay/parked_events.hpp"
#include "platform/relay/poll_source.hpp"

namespace trackops::outbox {
namespace {

class CleanupContract : public CleanupForTests {};
INSTANTIATE_TEST_SUITE_P(Databases, CleanupContract, ::testing::ValuesIn(testing::databases));

TEST_P(CleanupContract, DeletesWhatIsConfirmedAndOld) {
    outbox_.commit("a1 a2");
    confirm();
    run();
    EXPECT_EQ(left(), "a1 a2");
    clock_.advance(std::chrono::hours(25));
    run();
    EXPECT_EQ(left(), "");
}

TEST_P(CleanupContract, NeverDeletesWhatIsNotConfirmed) {
    outbox_.commit("a1 a2");
    clock_.advance(std::chrono::hours(24 * 365));
    run();
    // No relay has ever run.
    EXPECT_EQ(left(), "a1 a2");
    confirm();
    outbox_.commit("a3");
    run();
    EXPECT_EQ(left(), "a3");
    source_->read(100);
    run();
    EXPECT_EQ(left(), "a3");
}

TEST_P(CleanupContract, KeepsWhatIsParked) {
    outbox_.commit("a1 a2 b1");
    const auto events = source_->read(100);
    const relay::ParkedEvent parked{events[1].position, events[1].event, "too large", noon};
    relay::Lease(*outbox_.database, clock_, "one", std::chrono::hours(1)).acquire_or_renew();
    EXPECT_EQ(relay::ParkedEvents(*outbox_.database).add(std::span(&parked, 1), "one"), 1U);
    source_->confirm();
    clock_.advance(std::chrono::hours(25));
    run(2);
    EXPECT_EQ(left(), "a2");
}

// One event with a wrong time must not keep all later events forever.
TEST_P(CleanupContract, IsNotHeldUpByAnEventFromTheFuture) {
    const auto tx = outbox_.database->begin(sql::Access::write);
    const std::vector<Event> events = {
        OutboxFixture::event('f', 1, 100, noon + std::chrono::hours(24 * 365))};
    append(*tx, events);
    tx->commit();
    outbox_.commit("a1 a2");
    confirm();
    run();
    EXPECT_EQ(left(), "a1 a2");
    clock_.advance(std::chrono::hours(25));
    run();
    EXPECT_EQ(left(), "");
}

TEST_P(CleanupContract, WorksInBoundedStepsAndAsksToGoOn) {
    outbox_.commit("a1 a2 a3 a4");
    confirm();
    clock_.advance(std::chrono::hours(25));
    EXPECT_EQ(cleanup_.run(Duration::zero()).call_again_in, Duration::zero());
    EXPECT_EQ(left(), "a4");
    EXPECT_EQ(cleanup_.run(Duration::zero()).call_again_in, std::chrono::seconds(30));
    EXPECT_EQ(left(), "");
}

TEST_P(CleanupContract, ForgetsClaimsAndKeysPastTheirRetention) {
    const std::vector<Claim> claims = {{uuid_v7(noon, 0, 1), "x"}};
    const std::vector<idempotency::KeyedResponse> answers = {
        {{"s", "k", "f"}, {201, "{}", "", ""}}};
    const auto tx = outbox_.database->begin(sql::Access::write);
    claim(*tx, claims, noon);
    idempotency::record(*tx, answers, noon);
    tx->commit();
    clock_.advance(std::chrono::hours(23));
    run();
    EXPECT_EQ(outbox_.number("SELECT count(*) FROM idempotency_keys"), 1);
    clock_.advance(std::chrono::hours(1));
    run();
    EXPECT_EQ(outbox_.number("SELECT count(*) FROM idempotency_keys"), 0);
    EXPECT_EQ(outbox_.number("SELECT count(*) FROM processed_events"), 1);
    clock_.advance(std::chrono::hours(24 * 7 + 1));
    run();
    EXPECT_EQ(outbox_.number("SELECT count(*) FROM processed_events"), 0);
    const std::string metrics = outbox_.metrics.prometheus_text();
    EXPECT_NE(metrics.find("trackops_cleanup_deleted_total{table=\"processed_events\"} 1"),
              std::string::npos);
}

// A window of several pages is open, and a transaction with an early position has not committed.
TEST(Cleanup, LeavesAnOpenWindowOfPostgresAlone) {
    OutboxFixture outbox("postgres");
    outbox.leave_only_the_overflow();
    testing::FakeClock clock(noon);
    Cleanup cleanup(*outbox.database, clock, {.partitions_ahead = 0}, outbox.metrics);
    const auto source = relay::make_poll_source(*outbox.database);
    const auto late = outbox.database->begin(sql::Access::write);
    append(*late, outbox.parse("l1"));
    late->flush();
    outbox.commit("a1 a2 a3");
    source->read(2);
    source->confirm();
    clock.advance(std::chrono::hours(25));
    late->commit();
    EXPECT_EQ(cleanup.run(Duration::zero()).done, 0U);
    EXPECT_EQ(OutboxFixture::names(source->unconfirmed(0, 10)), "l1 a3");
    source->read(2);
    source->confirm();
    // Deletes a1 a2 a3, because the window is closed.
    EXPECT_EQ(cleanup.run(Duration::zero()).done, 3U);
    EXPECT_EQ(OutboxFixture::names(source->read(2)), "l1");
}

}  // namespace
}  // namespace trackops::outbox
