#include "platform/relay/postgres_checkpoint.hpp"

#include <gtest/gtest.h>

#include "platform/outbox/outbox_for_tests.hpp"

namespace trackops::relay {
namespace {

// As while the log is caught up with: looked up one by one, this would take a minute, and a
// statement has ten seconds.
TEST(PostgresCheckpoint, LeavesOutManyTransactionsThatAreHalfDone) {
    constexpr std::int64_t transactions = 20'000;
    constexpr std::uint64_t first_xid = 1'000'000'000;  // far from those that the test draws
    outbox::OutboxFixture outbox("postgres");
    outbox.execute(R"sql(
        INSERT INTO outbox_events (event_id, aggregate_id, type, sequence, payload, correlation_id,
                                   causation_id, traceparent, tracestate, occurred_at, xid)
        SELECT gen_random_uuid(), gen_random_uuid(), 'ORDER_CREATED', 1, '{}', 'c', 'p', '', '',
               '2023-11-14 22:13:20Z', (1000000000 + i / 2)::text::xid8
        FROM generate_series(0, 39999) AS i
    )sql");
    outbox.commit("a1");  // of a transaction that nothing is done with
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
