#include "platform/relay/postgres_checkpoint.hpp"

#include <gtest/gtest.h>

#include "platform/outbox/outbox_for_tests.hpp"

namespace trackops::relay {
namespace {

// The state of a relay that catches up with the log. With one query for each transaction this would
// take a minute, but a statement may take ten seconds.
TEST(PostgresCheckpoint, LeavesOutManyTransactionsThatAreHalfDone) {
    constexpr std::int64_t transactions = 20'000;
    // Far from the xids that the test draws.
    constexpr std::uint64_t first_xid = 1'000'000'000;
    outbox::OutboxFixture outbox("postgres");
    outbox.execute(R"sql(
        INSERT INTO outbox_events (event_id, aggregate_id, type, sequence, payload, correlation_id,
                                   causation_id, traceparent, tracestate, occurred_at, xid)
        SELECT gen_random_uuid(), gen_random_uuid(), 'ORDER_CREATED', 1, '{}', 'c', 'p', '', '',
               '2023-11-14 22:13:20Z', (1000000000 + i / 2)::text::xid8
        FROM generate_series(0, 39999) AS i
    )sql");
    // An event of a transaction of which nothing is confirmed.
    outbox.commit("a1");
    ConfirmedPositions done;
    for (std::int64_t i = 0; i < transactions; ++i)
        done[first_xid + static_cast<std::uint64_t>(i)] = 2 * i + 1;

    EXPECT_EQ(count_backlog(*outbox.database, done, outbox::noon).events, transactions + 1);
    std::vector<std::int64_t> positions;
    for (const outbox::StoredEvent& event : list_unconfirmed(*outbox.database, done, 39'996, 10))
        positions.push_back(event.position);
    EXPECT_EQ(positions, (std::vector<std::int64_t>{39'998, 40'000, 40'001}));
}

}  // namespace
}  // namespace trackops::relay
