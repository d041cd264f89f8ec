// A source of each kind over a fresh outbox, settled, so that tests need no luck. Only tests
// include this.
#pragma once
#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "platform/outbox/outbox_for_tests.hpp"
#include "platform/postgres/target.hpp"
#include "platform/relay/wal/slot.hpp"
#include "platform/relay/wal/source.hpp"

namespace trackops::relay {

inline const std::vector<std::string> source_kinds = {"sqlite-poll", "postgres-poll",
                                                      "postgres-wal"};

// Waits for what another process does; fails the test when it does not.
inline void until(const std::function<bool()>& is_so) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!is_so()) {
        ASSERT_LT(std::chrono::steady_clock::now(), end) << "it does not happen";
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

// And not for what other databases write into the server's log, nor for a pause of the test.
inline WalOptions stored_each(Duration interval) {
    return {.checkpoint_interval = interval,
            .sender_timeout = std::chrono::minutes(1),
            .idle_bytes_max = std::numeric_limits<std::uint64_t>::max()};
}

class SourceFixture {
public:
    explicit SourceFixture(const std::string& of) : kind(of), outbox(of.substr(0, of.find('-'))) {}
    // A slot that is forgotten holds the log of the whole server.
    ~SourceFixture() {
        if (is_wal()) drop_slot();
    }
    SourceFixture(const SourceFixture&) = delete;
    SourceFixture& operator=(const SourceFixture&) = delete;

    bool is_wal() const { return kind == "postgres-wal"; }
    bool has_many_writers() const { return kind != "sqlite-poll"; }

    // Ready to read. The log is streamed, and each confirm() stored at once.
    std::unique_ptr<Source> make() {
        if (!is_wal()) return make_poll_source(*outbox.database);
        auto source = make_wal();
        until([&] { return source->claim(); });
        while (!source->is_streaming() && !::testing::Test::HasFatalFailure()) settle(*source);
        return source;
    }
    std::unique_ptr<WalSource> make_wal(WalOptions options = stored_each(Duration::zero())) {
        return make_wal_source(*outbox.database, outbox.url(), std::move(options), outbox.metrics);
    }
    // Reads what waits before the log can be read, into `found`.
    void settle(WalSource& source, std::vector<outbox::StoredEvent>* found = nullptr) {
        until([&] {
            auto events = source.read(100);
            if (found != nullptr) found->insert(found->end(), events.begin(), events.end());
            EXPECT_TRUE(found != nullptr || events.empty());
            source.confirm();
            return source.is_streaming();
        });
    }

    // The next events, when everything that is committed by now has come.
    std::vector<outbox::StoredEvent> read(Source& source, std::size_t max = 100) {
        if (auto* wal = dynamic_cast<WalSource*>(&source); wal != nullptr && wal->is_streaming()) {
            const pgoutput::Lsn now{static_cast<std::uint64_t>(outbox.number(
                "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint"))};
            until([&] { return wal->has_received(now, max); });
        }
        return source.read(max);
    }

    // Until the base that is stored sees all that is committed: what other databases commit can
    // keep that of the log a round behind.
    void store_base(Source& source) {
        until([&] {
            EXPECT_EQ(outbox::OutboxFixture::names(read(source)), "");
            source.confirm();
            return outbox.number(
                       "SELECT count(*) FROM outbox_events, relay.checkpoint "
                       "WHERE NOT pg_visible_in_snapshot(xid, base)") == 0;
        });
    }

    std::string slot() const {
        return slot_name(sql::postgres::parse_target(outbox.url(), {}).database);
    }
    // Ends who reads it, or is about to.
    void drop_slot() {
        until([&] {
            const auto tx = outbox.database->begin(sql::Access::write);
            tx->add({.name = "test.end",
                     .text = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE "
                             "datname = current_database() AND backend_type = 'walsender'"},
                    {});
            tx->flush();
            tx->add({.name = "test.drop",
                     .text = "SELECT pg_drop_replication_slot(slot_name)::text FROM "
                             "pg_replication_slots WHERE slot_name = $1::text AND NOT active"},
                    {slot()});
            try {
                tx->commit();
            } catch (const sql::Failure&) {
                return false;  // taken in between
            }
            return outbox.number(
                       "SELECT (SELECT count(*) FROM pg_replication_slots WHERE "
                       "database = current_database()) + (SELECT count(*) FROM "
                       "pg_stat_activity WHERE datname = current_database() AND "
                       "backend_type = 'walsender')") == 0;
        });
    }

    const std::string kind;
    outbox::OutboxFixture outbox;
};

}  // namespace trackops::relay
