// Every table has its own retention, and only that decides whether a row of the table stays.
#include <gtest/gtest.h>

#include "platform/idempotency/keys.hpp"
#include "platform/outbox/cleanup_for_tests.hpp"
#include "platform/relay/lease.hpp"
#include "platform/relay/parked_events.hpp"

namespace trackops::outbox {
namespace {

constexpr Duration day = std::chrono::hours(24);
constexpr Duration moment = Duration(1);

class Retention : public CleanupForTests {
protected:
    void publish(char key, Instant occurred_at) {
        const Event event = OutboxFixture::event(key, 1, ++ids_, occurred_at);
        const auto tx = outbox_.database->begin(sql::Access::write);
        append(*tx, std::span(&event, 1));
        tx->commit();
    }
    void handle(Instant at) {
        const Claim handled{uuid_v7(noon, 0, ++ids_), "x"};
        const auto tx = outbox_.database->begin(sql::Access::write);
        claim(*tx, std::span(&handled, 1), at);
        tx->commit();
    }
    void answer(Instant at) {
        const idempotency::KeyedResponse given{{"s", std::to_string(++ids_), "f"},
                                               {201, "{}", "", ""}};
        const auto tx = outbox_.database->begin(sql::Access::write);
        idempotency::record(*tx, std::span(&given, 1), at);
        tx->commit();
    }
    // Writes one row into each table.
    void fill() {
        publish('a', noon);
        confirm();
        handle(noon);
        answer(noon);
    }
    void run_at(Instant now, CleanupOptions options = {}) {
        options.partitions_ahead = 0;
        clock_.set(now);
        Cleanup(*outbox_.database, clock_, options, outbox_.metrics).run(Duration::zero());
    }
    std::int64_t claims() { return outbox_.number("SELECT count(*) FROM processed_events"); }
    std::int64_t answers() { return outbox_.number("SELECT count(*) FROM idempotency_keys"); }

private:
    std::uint64_t ids_ = 100;
};
INSTANTIATE_TEST_SUITE_P(Databases, Retention, ::testing::ValuesIn(testing::databases));

TEST_P(Retention, OfEventsEndsJustAfterADay) {
    fill();
    run_at(noon + day - moment);
    EXPECT_EQ(left(), "a1");
    run_at(noon + day);
    EXPECT_EQ(left(), "a1");
    run_at(noon + day + moment);
    EXPECT_EQ(left(), "");
    EXPECT_EQ(claims(), 1);
}

TEST_P(Retention, OfAnswersEndsWithTheirDay) {
    fill();
    run_at(noon + idempotency_lifetime_default - moment);
    EXPECT_EQ(answers(), 1);
    run_at(noon + idempotency_lifetime_default);
    EXPECT_EQ(answers(), 0);
    EXPECT_EQ(left(), "a1");
    EXPECT_EQ(claims(), 1);
}

TEST_P(Retention, OfClaimsEndsAfterEightDaysAndNotWithThatOfEvents) {
    fill();
    for (const Duration age : {day, day + moment, 2 * day, 8 * day - moment, 8 * day}) {
        run_at(noon + age);
        EXPECT_EQ(claims(), 1) << age.count();
    }
    EXPECT_EQ(left(), "");
    EXPECT_EQ(answers(), 0);
    run_at(noon + 8 * day + moment);
    EXPECT_EQ(claims(), 0);
}

// Neither retention is bounded by the other.
TEST_P(Retention, OfClaimsMayBeShorterThanThatOfEvents) {
    const CleanupOptions options{.outbox_retention = 8 * day, .claims_retention = day};
    fill();
    run_at(noon + day, options);
    EXPECT_EQ(claims(), 1);
    run_at(noon + day + moment, options);
    EXPECT_EQ(claims(), 0);
    run_at(noon + 8 * day, options);
    EXPECT_EQ(left(), "a1");
    run_at(noon + 8 * day + moment, options);
    EXPECT_EQ(left(), "");
}

TEST_P(Retention, TakesFromEachTableOnlyWhatIsPastIt) {
    for (const Duration age : {9 * day, 8 * day + moment, 8 * day, 2 * day}) {
        handle(noon - age);
    }
    for (const Duration age : {2 * day, day, day - moment, Duration::zero()}) {
        answer(noon - age);
    }
    publish('a', noon - day - moment);
    publish('b', noon - day);
    publish('c', noon);
    confirm();
    run_at(noon);
    EXPECT_EQ(left(), "b1 c1");
    EXPECT_EQ(claims(), 2);
    EXPECT_EQ(answers(), 2);
}

// The retention of an event begins when the event is confirmed.
TEST_P(Retention, OfWhatIsNotConfirmedDoesNotEnd) {
    publish('a', noon);
    confirm();
    publish('b', noon);
    run_at(noon + 9 * day);
    EXPECT_EQ(left(), "b1");
}

TEST_P(Retention, OfWhatIsParkedEndsWhenItLeaves) {
    publish('a', noon);
    publish('b', noon);
    const auto events = source_->read(10);
    const relay::ParkedEvent parked{events[0].position, events[0].event, "too large", noon};
    relay::Lease(*outbox_.database, clock_, "one", day).acquire_or_renew();
    EXPECT_EQ(relay::ParkedEvents(*outbox_.database).add(std::span(&parked, 1), "one"), 1U);
    source_->confirm();
    run_at(noon + 9 * day);
    EXPECT_EQ(left(), "a1");
    EXPECT_TRUE(
        relay::ParkedEvents(*outbox_.database).remove(parked.position, "one", nullptr, Instant{}));
    run_at(noon + 9 * day);
    EXPECT_EQ(left(), "");
}

// An event dated up to a day ahead counts as young. One dated further ahead had a wrong clock.
TEST_P(Retention, IsHeldUpByAnEventThatLiesAheadByLessThanItsLength) {
    publish('a', noon);
    publish('b', noon + 3 * day);
    confirm();
    publish('c', noon);
    confirm();
    run_at(noon + 2 * day + moment);
    EXPECT_EQ(left(), "b1 c1");
    run_at(noon + 2 * day);
    EXPECT_EQ(left(), "");
}

TEST_P(Retention, GoesOnAtOnceWhileAnyTableHasMore) {
    const auto next = [this] { return cleanup_.run(Duration::zero()).call_again_in; };
    const auto pause = CleanupOptions{}.interval;
    for (int i = 0; i < 4; ++i) handle(noon);  // one call deletes at most three
    clock_.set(noon + 9 * day);
    EXPECT_EQ(next(), Duration::zero());
    EXPECT_EQ(claims(), 1);
    EXPECT_EQ(next(), pause);
    EXPECT_EQ(claims(), 0);
    for (int i = 0; i < 4; ++i) answer(noon);
    EXPECT_EQ(next(), Duration::zero());
    EXPECT_EQ(answers(), 1);
    EXPECT_EQ(next(), pause);
    EXPECT_EQ(answers(), 0);
    EXPECT_EQ(next(), pause);
}

// The bound must also hold when PostgreSQL has planned the deletion for tables of one row.
TEST_P(Retention, DeletesNoMoreThanIsAskedOfTablesThatWereAnalyzedWhenTheyWereTiny) {
    handle(noon);
    answer(noon);
    outbox_.execute("ANALYZE processed_events");
    outbox_.execute("ANALYZE idempotency_keys");
    for (int i = 0; i < 7; ++i) {
        handle(noon);
        answer(noon);
    }
    clock_.set(noon + 9 * day);
    for (const std::int64_t rest : {5, 2, 0}) {
        run();
        EXPECT_EQ(claims(), rest);
        EXPECT_EQ(answers(), rest);
    }
}

}  // namespace
}  // namespace trackops::outbox
