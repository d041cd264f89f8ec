// A fixture that has an outbox and its WAL source on PostgreSQL.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "platform/relay/sources_for_tests.hpp"
#include "platform/relay/wal/source.hpp"

namespace trackops::relay {

inline const WalOptions at_once = stored_each(Duration::zero());

class Wal : public ::testing::Test {
protected:
    using Transaction = std::unique_ptr<sql::Transaction>;

    std::unique_ptr<WalSource> streaming(const WalOptions& options = at_once) {
        auto source = sources_.make_wal(options);
        until([&] { return source->claim(); });
        if (!source->is_streaming()) sources_.settle(*source);
        return source;
    }
    std::string read(Source& source, std::size_t max = 100) {
        return outbox::OutboxFixture::names(sources_.read(source, max));
    }
    // Repairs the slot and returns the events found before the source streams the log again.
    std::string repaired(WalSource& source) {
        until([&] { return source.claim(); });
        EXPECT_FALSE(source.is_streaming());
        std::vector<outbox::StoredEvent> found;
        sources_.settle(source, &found);
        return outbox::OutboxFixture::names(found);
    }
    Transaction open(std::string_view events) {
        auto tx = outbox_.database->begin(sql::Access::write);
        append(*tx, outbox_.parse(events));
        tx->flush();
        return tx;
    }
    void run(std::string_view statement) {
        const auto tx = outbox_.database->begin(sql::Access::write);
        tx->add({.name = "test.run", .text = statement}, {});
        tx->commit();
    }
    std::string text(const std::string& select) {
        const auto tx = outbox_.database->begin(sql::Access::read);
        const sql::Statement& found = tx->add({.name = "test.text", .text = select}, {});
        tx->commit();
        return found.rows().empty() ? "" : found.rows()[0].maybe_text(0).value_or("");
    }
    std::string of_slot(const std::string& column) {
        return text("SELECT " + column + "::text FROM pg_replication_slots WHERE slot_name = '" +
                    sources_.slot() + "'");
    }
    double metric(const std::string& name) {
        return outbox_.metrics.counter(name, "", {{"slot", sources_.slot()}}).value();
    }

    SourceFixture sources_{"postgres-wal"};
    outbox::OutboxFixture& outbox_ = sources_.outbox;
};

}  // namespace trackops::relay
