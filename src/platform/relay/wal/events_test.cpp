#include "platform/relay/wal/events.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "platform/relay/wal/pgoutput_for_tests.hpp"

namespace trackops::relay {
namespace {

using namespace pgoutput::captured;
using pgoutput::Lsn;

const outbox::Snapshot nothing = *outbox::Snapshot::parse(outbox::snapshot_before_everything);

const std::vector<std::string> columns = {
    "position",       "event_id",     "aggregate_id", "type",       "sequence",    "payload",
    "correlation_id", "causation_id", "traceparent",  "tracestate", "occurred_at", "xid"};

std::string begin_frame() { return data_frame(begin); }
std::string commit_frame(std::uint64_t end) {
    return framed("C" + std::string(9, '\0') + big_endian(end, 8) + std::string(8, '\0'));
}
std::string relation_frame(const std::vector<std::string>& named,
                           std::string_view table = "outbox_events") {
    std::string bytes = "R" + big_endian(5, 4) + "public" + '\0' + std::string(table) + '\0' + "d" +
                        big_endian(named.size(), 2);
    for (const std::string& name : named) bytes += '\0' + name + '\0' + std::string(8, '\0');
    return framed(bytes);
}
std::string insert_frame(const std::vector<std::string>& values) {
    std::string bytes = "I" + big_endian(5, 4) + "N" + big_endian(values.size(), 2);
    for (const std::string& value : values) bytes += "t" + big_endian(value.size(), 4) + value;
    return framed(bytes);
}
std::vector<std::string> row(int position, int xid = 700) {
    return {std::to_string(position),
            "018bcfe5-6800-7000-8000-000000000001",
            "018bcfe5-6800-7001-8000-000000000061",
            "ORDER_CREATED",
            "1",
            "{}",
            "c",
            "p",
            "",
            "",
            "2023-11-14 22:13:20+00",
            std::to_string(xid)};
}

// Decodes a stream and prints its steps: "e7" is an event at position 7, "@10" a position in the
// log, "@10+7" one with a cursor.
class Reading {
public:
    explicit Reading(WalPosition from = {}, const outbox::Snapshot& published = nothing)
        : events_(from, published) {}
    Reading& take(const std::string& frame) {
        EXPECT_TRUE(events_.take(frame, steps_));
        return *this;
    }
    Reading& transaction(std::vector<std::vector<std::string>> rows, std::uint64_t end) {
        take(begin_frame());
        for (const auto& values : rows) take(insert_frame(values));
        return take(commit_frame(end));
    }
    std::string text() {
        std::string text;
        for (const WalStep& step : steps_) {
            if (step.event) text += "e" + std::to_string(step.event->position);
            text += "@" + std::to_string(step.after.lsn.bytes);
            if (step.after.cursor != 0) text += "+" + std::to_string(step.after.cursor);
            text += ' ';
        }
        steps_.clear();
        return text;
    }
    std::string error(const std::string& frame) {
        const auto taken = events_.take(frame, steps_);
        return taken ? "" : taken.error().detail;
    }
    WalEvents events_;
    std::deque<WalStep> steps_;
};

TEST(WalEvents, ReadsTheEventThatAServerSent) {
    Reading reading;
    for (const auto hex : {begin, relation, insert, commit}) reading.take(data_frame(hex));
    ASSERT_EQ(reading.steps_.size(), 2U);
    const WalStep& step = reading.steps_.front();
    EXPECT_EQ(step.xid, 729U);
    EXPECT_EQ(step.event->position, 1);
    const outbox::Event& event = step.event->event;
    EXPECT_EQ(event.id.text(), "018bcfe5-6800-7000-8000-000000000001");
    EXPECT_EQ(event.key.text(), "018bcfe5-6800-7001-8000-000000000061");
    EXPECT_EQ(event.type, "ORDER_CREATED");
    EXPECT_EQ(event.sequence, 1);
    EXPECT_EQ(event.payload, R"({"n": 1, "s": "é"})");
    EXPECT_EQ(event.correlation_id, "c");
    EXPECT_EQ(event.traceparent, "");
    EXPECT_EQ(event.occurred_at.text(), "2023-11-14T22:13:20.123456Z");
    EXPECT_EQ(reading.steps_.back().after, (WalPosition{*Lsn::parse("0/1950140"), 0}));
}

TEST(WalEvents, GoesByTheNamesOfColumns) {
    std::vector<std::string> named = columns;
    std::vector<std::string> values = row(7);
    named.insert(named.begin() + 3, "added_later");
    values.insert(values.begin() + 3, "whatever");
    std::ranges::reverse(named);
    std::ranges::reverse(values);
    Reading reading;
    reading.take(relation_frame(named)).transaction({values}, 10);
    EXPECT_EQ(reading.text(), "e7@0+7 @10 ");
}

TEST(WalEvents, NamesTheColumnThatIsMissingOrBad) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
        std::vector<std::string> named = columns;
        named.erase(named.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_NE(Reading().error(relation_frame(named)).find("no column " + columns[i]),
                  std::string::npos);
    }
    for (const std::size_t i : {0, 1, 2, 4, 10, 11}) {
        std::vector<std::string> values = row(7);
        values[i] = "?";
        Reading reading;
        reading.take(relation_frame(columns)).take(begin_frame());
        EXPECT_NE(reading.error(insert_frame(values)).find("." + columns[i]), std::string::npos);
    }
    Reading reading;
    reading.take(relation_frame(columns)).take(begin_frame());
    EXPECT_NE(reading.error(insert_frame({"7"})).find(".event_id"), std::string::npos);
}

TEST(WalEvents, IgnoresAndCountsWhatIsNoInsertOfAnEvent) {
    Reading reading;
    for (const auto hex : {begin, type, other_relation, other_insert, update, remove,
                           logical_message, truncate, origin}) {
        reading.take(data_frame(hex));
    }
    reading.take(commit_frame(10));
    EXPECT_EQ(reading.text(), "@10 ");
    EXPECT_EQ(reading.events_.ignored(), 7U);
}

TEST(WalEvents, ComesFurtherWithKeepalivesButNotWithinATransaction) {
    Reading reading;
    reading.take(relation_frame(columns));
    EXPECT_FALSE(*reading.events_.take(keepalive_frame({10}, false), reading.steps_));
    EXPECT_TRUE(*reading.events_.take(keepalive_frame({20}, true), reading.steps_));
    EXPECT_EQ(reading.text(), "@20 ");
    reading.take(begin_frame()).take(keepalive_frame({30}, false)).take(insert_frame(row(7)));
    reading.take(keepalive_frame({40}, false)).take(commit_frame(41));
    EXPECT_EQ(reading.text(), "e7@20+7 @41 ");
    // An older keepalive does not move the position back.
    reading.take(keepalive_frame({20}, false));
    EXPECT_EQ(reading.text(), "");
}

TEST(WalEvents, GoesOnWithinTheTransactionThatWasHalfDone) {
    Reading reading({{10}, 7});
    reading.take(relation_frame(columns));
    // An empty transaction: it changed only other tables.
    reading.take(keepalive_frame({15}, false)).transaction({}, 16);
    EXPECT_EQ(reading.text(), "@16+7 ");
    reading.transaction({row(6), row(7), row(8)}, 20);
    EXPECT_EQ(reading.text(), "e8@16+8 @20 ");
    // This transaction drew its position before the half-confirmed one did.
    reading.transaction({row(5, 701)}, 30);
    EXPECT_EQ(reading.text(), "e5@20+5 @30 ");
}

TEST(WalEvents, LeavesOutWhatIsPublished) {
    Reading reading({{10}, 7}, *outbox::Snapshot::parse("700:703:701"));
    reading.take(relation_frame(columns));
    reading.transaction({row(3, 699), row(4, 699)}, 20);
    // This transaction is published, but it is not the half-confirmed one.
    EXPECT_EQ(reading.text(), "@20+7 ");
    reading.transaction({row(7, 701), row(8, 701)}, 30);
    EXPECT_EQ(reading.text(), "e8@20+8 @30 ");
    reading.transaction({row(5, 702)}, 40).transaction({row(6, 703)}, 50);
    EXPECT_EQ(reading.text(), "@40 e6@40+6 @50 ");
}

TEST(WalEvents, RefusesMessagesOutOfTurn) {
    EXPECT_NE(Reading().error(commit_frame(10)), "");
    EXPECT_NE(Reading().take(begin_frame()).error(begin_frame()), "");
    EXPECT_NE(Reading().take(relation_frame(columns)).error(insert_frame(row(1))), "");
    EXPECT_NE(Reading().take(begin_frame()).error(insert_frame(row(1))), "");
}

// With the address sanitizer, this test shows that no byte beyond the frame is read.
TEST(WalEvents, SurvivesFramesThatWereTamperedWith) {
    const std::vector<std::string> real = {
        data_frame(begin),          data_frame(relation),         data_frame(insert),
        data_frame(other_relation), data_frame(other_insert),     data_frame(update),
        data_frame(truncate),       keepalive_frame({99}, false), data_frame(commit)};
    std::uint64_t seed = 1;
    const auto dice = [&seed](std::uint64_t below) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        return (seed >> 33) % below;
    };
    std::size_t refused = 0, taken = 0, given = 0;
    for (int round = 0; round < 5'000; ++round) {
        WalEvents events({}, nothing);
        std::deque<WalStep> steps;
        for (std::size_t i = 0; i < real.size(); ++i) {
            std::string frame = dice(8) == 0 ? real[dice(real.size())] : real[i];
            for (std::uint64_t change = dice(3); change > 0; --change) {
                const std::size_t at = dice(frame.size());
                switch (dice(4)) {
                    case 0:
                        frame.resize(at);
                        break;
                    case 1:
                        frame.insert(at, 1, static_cast<char>(dice(256)));
                        break;
                    default:
                        frame[at] = static_cast<char>(dice(256));
                }
                if (frame.empty()) frame = "w";
            }
            // A copy without spare bytes behind the frame.
            const std::vector<char> exact(frame.begin(), frame.end());
            const auto result = events.take({exact.data(), exact.size()}, steps);
            if (!result) {
                EXPECT_EQ(result.error().code, Errc::malformed);
            }
            ++(result ? taken : refused);
        }
        given += steps.size();
    }
    EXPECT_GT(refused, 5'000U);
    EXPECT_GT(taken, 5'000U);
    EXPECT_GT(given, 500U);
}

}  // namespace
}  // namespace trackops::relay
