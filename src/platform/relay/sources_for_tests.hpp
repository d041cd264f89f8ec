// A source of each kind over a new outbox, made deterministic for tests. Only tests include this.
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
#include "platform/relay/poll_source.hpp"
#include "platform/relay/wal/slot.hpp"
#include "platform/relay/wal/source.hpp"

namespace trackops::relay {

inline const std::vector<std::string> source_kinds = {"sqlite-poll", "postgres-poll",
                                                      "postgres-wal"};

// Waits up to a minute until `is_so` returns true, for something that another process does. Fails
// the test after that.
inline void until(const std::function<bool()>& is_so) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!is_so()) {
        ASSERT_LT(std::chrono::steady_clock::now(), end) << "it does not happen";
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

// Returns options that store the checkpoint once in each interval. Neither log records of other
// databases nor a pause of the test trigger a store or a timeout.
inline WalOptions stored_each(Duration interval) {
    return {.checkpoint_interval = interval,
            .sender_timeout = std::chrono::minutes(1),
            .idle_bytes_max = std::numeric_limits<std::uint64_t>::max()};
}

class SourceFixture {
public:
    explicit SourceFixture(const std::string& of) : kind(of), outbox(of.substr(0, of.find('-'))) {}
    // A forgotten slot would hold the log of the whole server.
    ~SourceFixture() {
        if (is_wal()) drop_slot();
    }
    SourceFixture(const SourceFixture&) = delete;
    SourceFixture& operator=(const SourceFixture&) = delete;

    bool is_wal() const { return kind == "postgres-wal"; }
    bool has_many_writers() const { return kind != "sqlite-poll"; }

    // Returns a source that is ready to read. A wal source streams the log, and each confirm()
    // stores the checkpoint at once.
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
    // Reads the events that precede the streaming of the log into `found`. Expects none if `found`
    // is null.
    void settle(WalSource& source, std::vector<outbox::StoredEvent>* found = nullptr) {
        until([&] {
            auto events = source.read(100);
            if (found != nullptr) found->insert(found->end(), events.begin(), events.end());
            EXPECT_TRUE(found != nullptr || events.empty());
            source.confirm();
            return source.is_streaming();
        });
    }

    // Returns the next events, after everything that is committed by now has arrived.
    std::vector<outbox::StoredEvent> read(Source& source, std::size_t max = 100) {
        if (auto* wal = dynamic_cast<WalSource*>(&source); wal != nullptr && wal->is_streaming()) {
            const pgoutput::Lsn now{static_cast<std::uint64_t>(outbox.number(
                "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint"))};
            until([&] { return wal->has_received(now, max); });
        }
        return source.read(max);
    }

    // Waits until the stored base sees all committed events. Commits in other databases can keep
    // the base of the wal source one round behind.
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
    // Drops the slot. Ends all walsender sessions of this database first.
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
                // Another session took the slot in between.
                return false;
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
