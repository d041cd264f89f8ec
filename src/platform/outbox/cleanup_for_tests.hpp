// Cleanup over a fresh outbox. Only tests include this.
#pragma once
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "platform/outbox/cleanup.hpp"
#include "platform/outbox/outbox_for_tests.hpp"
#include "platform/relay/poll_source.hpp"

namespace trackops::outbox {

// The cleanup that deletes row by row: on SQLite for the whole outbox, on PostgreSQL for the
// overflow partition. cleanup_partitions_test.cpp tests the other partitions.
class CleanupForTests : public ::testing::TestWithParam<std::string> {
protected:
    CleanupForTests() {
        if (GetParam() == "postgres") outbox_.leave_only_the_overflow();
    }

    // Returns the names of the remaining events.
    std::string left() {
        constexpr sql::Query query{
            .name = "test.left",
            .text = "SELECT aggregate_id, sequence FROM outbox_events ORDER BY position"};
        const auto tx = outbox_.database->begin(sql::Access::read);
        const sql::Statement& found = tx->add(query, {});
        tx->commit();
        std::string text;
        for (const sql::Row& row : found.rows()) {
            if (!text.empty()) text += ' ';
            text += fmt::format("{}{}", static_cast<char>(row.uuid(0).bytes[15]), row.integer(1));
        }
        return text;
    }
    void confirm(std::size_t max = 100) {
        source_->read(max);
        source_->confirm();
    }
    void run(int times = 1) {
        for (int i = 0; i < times; ++i) cleanup_.run(Duration::zero());
    }

    OutboxFixture outbox_{GetParam()};
    testing::FakeClock clock_{noon};
    std::unique_ptr<relay::Source> source_ = relay::make_poll_source(*outbox_.database);
    Cleanup cleanup_{
        *outbox_.database, clock_, {.rows_max = 3, .partitions_ahead = 0}, outbox_.metrics};
};

}  // namespace trackops::outbox
