#include "platform/relay/wal/pgoutput.hpp"

#include <gtest/gtest.h>

#include "platform/relay/wal/pgoutput_for_tests.hpp"

namespace trackops::relay::pgoutput {
namespace {

using namespace captured;

template <class Kind>
Kind message(std::string_view hex) {
    const std::string bytes = from_hex(hex);
    const auto read = read_message(bytes);
    EXPECT_TRUE(read) << hex;
    return std::get<Kind>(*read);
}

TEST(Pgoutput, ReadsWhatAServerSent) {
    EXPECT_EQ(message<Begin>(begin).commit.text(), "0/1950110");
    EXPECT_EQ(message<Commit>(commit).end.text(), "0/1950140");
    const auto table = message<Relation>(relation);
    EXPECT_EQ(table.id, 0x4005U);
    EXPECT_EQ(table.name, "outbox_events");
    const std::vector<std::string> columns = {
        "position",       "event_id",     "aggregate_id", "type",       "sequence",    "payload",
        "correlation_id", "causation_id", "traceparent",  "tracestate", "occurred_at", "xid"};
    EXPECT_EQ(table.columns, columns);
    const std::string bytes = from_hex(insert);
    const auto row = std::get<Insert>(*read_message(bytes));
    EXPECT_EQ(row.relation, 0x4005U);
    ASSERT_EQ(row.values.size(), 12U);
    EXPECT_EQ(row.values[0], "1");
    EXPECT_EQ(row.values[5], R"({"n": 1, "s": "é"})");
    EXPECT_EQ(row.values[8], "");
    EXPECT_EQ(row.values[10], "2023-11-14 22:13:20.123456+00");
    EXPECT_EQ(std::get<Insert>(*read_message(from_hex(other_insert))).values.at(1), std::nullopt);
}

TEST(Pgoutput, ToleratesWhatItHasNoUseFor) {
    EXPECT_EQ(message<Other>(type).kind, 'Y');
    EXPECT_EQ(message<Other>(update).kind, 'U');
    EXPECT_EQ(message<Other>(remove).kind, 'D');
    EXPECT_EQ(message<Other>(logical_message).kind, 'M');
    EXPECT_EQ(message<Other>(truncate).kind, 'T');
    EXPECT_EQ(message<Other>(origin).kind, 'O');
}

TEST(Pgoutput, RefusesWhatIsCutOffOrTooLong) {
    for (const auto hex : {begin, commit, relation, insert}) {
        const std::string whole = from_hex(hex);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            EXPECT_FALSE(read_message(std::string_view(whole).substr(0, size))) << size;
        }
        EXPECT_FALSE(read_message(whole + '\0'));
    }
    for (const std::string_view whole : {data_frame(begin), keepalive_frame({7}, true)}) {
        for (std::size_t size = 0; size < 18; ++size) {
            EXPECT_FALSE(read_frame(whole.substr(0, size))) << size;
        }
    }
}

TEST(Pgoutput, RefusesUnknownKindsOfEverything) {
    for (int c = 0; c < 256; ++c) {
        const auto kind = static_cast<char>(c);
        if (std::string_view("wk").find(kind) == std::string_view::npos) {
            EXPECT_FALSE(read_frame(kind + std::string(30, '\0')));
        }
        if (std::string_view("BCRIYOMTUD").find(kind) == std::string_view::npos) {
            EXPECT_FALSE(read_message(kind + std::string(30, '\0')));
        }
        std::string row = from_hex(insert);
        row[8] = kind;  // the kind of the first value
        EXPECT_EQ(read_message(row).has_value(), kind == 't') << c;
    }
    std::string row = from_hex(insert);
    row[5] = 'O';  // an old row
    EXPECT_FALSE(read_message(row));
    row = from_hex(insert);
    row[9] = '\x7F';  // a length beyond the message
    EXPECT_FALSE(read_message(row));
}

TEST(Pgoutput, ReadsFrames) {
    const std::string frame = data_frame(begin);
    EXPECT_EQ(std::get<Data>(*read_frame(frame)).message, from_hex(begin));
    const auto alive = std::get<Keepalive>(*read_frame(keepalive_frame({0x1'0000'0002}, true)));
    EXPECT_EQ(alive.end.text(), "1/2");
    EXPECT_TRUE(alive.wants_reply);
    EXPECT_FALSE(std::get<Keepalive>(*read_frame(keepalive_frame({1}, false))).wants_reply);
}

TEST(Pgoutput, WritesAStatusUpdate) {
    EXPECT_EQ(status_update({0x1122334455667788}, {946'684'800'000'001}),
              from_hex("72"
                       "1122334455667788"
                       "1122334455667788"
                       "1122334455667788"
                       "0000000000000001"
                       "00"));
}

TEST(Lsn, IsReadAndWrittenAsPostgresDoes) {
    for (const auto* text : {"0/0", "0/16B3748", "FFFFFFFF/FFFFFFFF", "1/2"}) {
        ASSERT_TRUE(Lsn::parse(text)) << text;
        EXPECT_EQ(Lsn::parse(text)->text(), text);
    }
    for (const auto* text : {"", "/", "1", "1/", "/1", "1/100000000", "1/-2", "g/1", "1/2/3"}) {
        EXPECT_FALSE(Lsn::parse(text)) << text;
    }
}

}  // namespace
}  // namespace trackops::relay::pgoutput
