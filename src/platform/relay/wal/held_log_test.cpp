#include "platform/relay/wal/source_for_tests.hpp"

namespace trackops::relay {
namespace {

TEST_F(Wal, HoldsNoLogForATableThatIsIdle) {
    const auto source =
        streaming({.checkpoint_interval = Duration::zero(), .idle_bytes_max = 10'000});
    run("CREATE TABLE other (text TEXT)");
    for (int i = 0; i < 3; ++i) {
        const std::string before = of_slot("confirmed_flush_lsn");
        run("INSERT INTO other SELECT repeat('x', 100) FROM generate_series(1, 1000)");
        until([&] {
            EXPECT_EQ(read(*source), "");
            source->confirm();
            return of_slot("confirmed_flush_lsn") != before;
        });
    }
    outbox_.commit("a1");
    EXPECT_EQ(read(*source), "a1");
}

TEST_F(Wal, LetsTheServerFreeTheLogWhenItIsQuietAfterMuch) {
    const auto source =
        streaming({.checkpoint_interval = Duration::zero(), .idle_bytes_max = 20'000'000});
    run("SELECT pg_logical_emit_message(false, 'much', repeat('x', 1000000))::text "
        "FROM generate_series(1, 30)");
    const std::string end = text("SELECT pg_current_wal_lsn()::text");
    const auto has_reached_end = [&](const std::string& column) {
        EXPECT_EQ(read(*source), "");
        source->confirm();
        (void)source->backlog(outbox::noon);
        return of_slot("(" + column + " >= '" + end + "')") == "true";
    };
    until([&] { return has_reached_end("confirmed_flush_lsn"); });
    run("CHECKPOINT");  // notes which transactions run, as a quiet server does every 15 s
    until([&] { return has_reached_end("restart_lsn"); });
}

}  // namespace
}  // namespace trackops::relay
