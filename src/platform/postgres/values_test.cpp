#include "platform/postgres/values.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "platform/sql/database.hpp"

namespace trackops::sql::postgres {
namespace {

constexpr Oid int2 = 21, int4 = 23, int8 = 20, boolean = 16, text = 25, varchar = 1043, name = 19,
              bpchar = 1042, bytea = 17, uuid = 2950, timestamptz = 1184, json = 114, jsonb = 3802,
              void_type = 2278, numeric = 1700, float8 = 701;
constexpr Place place{"order.load", 2};

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char byte : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return out;
}

Uuid a_uuid() { return *Uuid::parse("0192f0c1-2345-7678-9abc-def012345678"); }
Instant an_instant() { return *Instant::parse("2026-11-22T23:57:00.123456Z"); }

struct Case {
    Value value;
    Oid type;
    std::string bytes;  // as SELECT encode(uuid_send(...), 'hex') shows them
};

std::vector<Case> table() {
    return {
        {-2, int2, "fffe"},
        {32767, int2, "7fff"},
        {std::numeric_limits<std::int32_t>::min(), int4, "80000000"},
        {66051, int4, "00010203"},
        {std::int64_t{-1}, int8, "ffffffffffffffff"},
        {std::int64_t{0x0102030405060708}, int8, "0102030405060708"},
        {std::numeric_limits<std::int64_t>::min(), int8, "8000000000000000"},
        {true, boolean, "01"},
        {false, boolean, "00"},
        {"", text, ""},
        {"gr\xc3\xbc\xc3\x9f", text, "6772c3bcc39f"},
        {"v", varchar, "76"},
        {"n", name, "6e"},
        {"c ", bpchar, "6320"},
        {Bytes{std::string("\0\xff", 2)}, bytea, "00ff"},
        {a_uuid(), uuid, "0192f0c1234576789abcdef012345678"},
        {Instant{946'684'800'000'000}, timestamptz, "0000000000000000"},
        {Instant{0}, timestamptz, "fffca2fec4c82000"},
        {an_instant(), timestamptz, "000303e50073ed40"},
        {Json{"{\"a\": 1}"}, json, "7b2261223a20317d"},
        {Json{"[]"}, jsonb, "015b5d"},
    };
}

TEST(PostgresValues, AreEncodedAsTheTableSays) {
    for (const auto& [value, type, bytes] : table()) {
        std::string out = "x";
        append_value(out, value, type, place);
        EXPECT_EQ(hex(out), "78" + bytes) << "type " << type;
    }
}

TEST(PostgresValues, AreDecodedAsTheTableSays) {
    for (const auto& [value, type, bytes] : table()) {
        std::string binary;
        append_value(binary, value, type, place);
        EXPECT_EQ(decode(binary, type, place).variant(), value.variant()) << "type " << type;
    }
    EXPECT_TRUE(decode("", void_type, place).is_null());
}

TEST(PostgresValues, RefuseAnIntegerOutOfRangeAsBadData) {
    const std::vector<std::pair<std::int64_t, Oid>> cases = {
        {32768, int2}, {-32769, int2}, {2147483648, int4}, {-2147483649, int4}};
    for (const auto& [value, type] : cases) {
        std::string out;
        try {
            append_value(out, value, type, place);
            ADD_FAILURE() << value << " went through";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.fault, Fault::bad_data);
            EXPECT_EQ(failure.sqlstate, "22003");
        }
    }
    std::string out;
    EXPECT_THROW(
        append_value(out, Instant{std::numeric_limits<std::int64_t>::min()}, timestamptz, place),
        Failure);
}

TEST(PostgresValues, NeverTurnOneKindIntoAnother) {
    const std::vector<Value> values = {1,        true,         "text",   Bytes{"b"},
                                       a_uuid(), an_instant(), Json{"1"}};
    const std::vector<std::vector<Oid>> fitting = {
        {int2, int4, int8}, {boolean},    {text, varchar, name, bpchar}, {bytea}, {uuid},
        {timestamptz},      {json, jsonb}};
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (const Oid type : {int2, int4, int8, boolean, text, varchar, name, bpchar, bytea, uuid,
                               timestamptz, json, jsonb, void_type, numeric, float8}) {
            std::string out;
            if (std::ranges::find(fitting[i], type) != fitting[i].end()) {
                EXPECT_NO_THROW(append_value(out, values[i], type, place)) << i << " as " << type;
            } else {
                EXPECT_THROW(append_value(out, values[i], type, place), std::logic_error)
                    << i << " as " << type;
            }
        }
    }
}

TEST(PostgresValues, NameQueryAndParameterOfAMismatch) {
    std::string out;
    try {
        append_value(out, "0192f0c1-2345-7678-9abc-def012345678", uuid, place);
        FAIL() << "text became a uuid";
    } catch (const std::logic_error& error) {
        EXPECT_STREQ(error.what(),
                     "query order.load: parameter $2 is uuid in PostgreSQL and text here");
    }
}

TEST(PostgresValues, BecomeOneArrayAColumn) {
    const std::vector<Params> rows = {{"a", 1}, {"bc", Null{}}, {"", 3}};
    std::string numbers;
    append_array(numbers, rows, 1007, {"q", 2});
    EXPECT_EQ(hex(numbers),
              "00000001"
              "00000001"
              "00000017"
              "00000003"
              "00000001"  // dimensions, has NULLs, int4, length, first index
              "00000004"
              "00000001"
              "ffffffff"
              "00000004"
              "00000003");
    std::string texts;
    append_array(texts, rows, 1009, {"q", 1});
    EXPECT_EQ(hex(texts),
              "00000001"
              "00000000"
              "00000019"
              "00000003"
              "00000001"
              "00000001"
              "61"
              "00000002"
              "6263"
              "00000000");
    EXPECT_THROW(append_array(texts, rows, text, {"q", 1}), std::logic_error);  // not an array type
    EXPECT_THROW(append_array(texts, rows, 1016, {"q", 1}), std::logic_error);  // text in bigint[]
    EXPECT_THROW(append_array(texts, rows, 0, {"q", 1}), std::logic_error);
}

TEST(PostgresValues, AskForACastWhereThereIsNoValue) {
    try {
        decode("\x00", numeric, place);
        FAIL() << "numeric was decoded";
    } catch (const std::logic_error& error) {
        EXPECT_NE(std::string(error.what()).find("CAST"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("order.load"), std::string::npos);
    }
}

TEST(PostgresValues, AreNotReadFromBytesOfAnotherSize) {
    EXPECT_THROW(decode("abc", int4, place), std::logic_error);
    EXPECT_THROW(decode("abc", uuid, place), std::logic_error);
    EXPECT_THROW(decode("\x02{}", jsonb, place), std::logic_error);
    EXPECT_THROW(decode("", jsonb, place), std::logic_error);
    EXPECT_THROW(decode("\x7f\xff\xff\xff\xff\xff\xff\xff", timestamptz, place),
                 std::logic_error);  // infinity
}

TEST(PostgresValues, OfTextAreUtf8WithoutNul) {
    using namespace std::string_literals;
    for (const auto& clean : {""s, "plain ascii text"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s,
                              "\xed\x9f\xbf"s, "\xee\x80\x80"s, "\xf0\x90\x80\x80"s,
                              "\xf4\x8f\xbf\xbf"s, "12345678\xc3\xbc 12345678"s}) {
        EXPECT_NO_THROW(refuse_bad_text(clean, place)) << hex(clean);
        EXPECT_NO_THROW(refuse_bad_text(Json{clean}, place)) << hex(clean);
    }
    for (const auto& bad :
         {"a\0b"s, "\x80"s, "\xc0\x80"s, "\xc1\xbf"s, "\xc2"s, "\xc2\x41"s, "\xe0\x9f\xbf"s,
          "\xed\xa0\x80"s, "\xe2\x82"s, "\xf0\x8f\xbf\xbf"s, "\xf4\x90\x80\x80"s,
          "\xf5\x80\x80\x80"s, "\xff"s, "12345678\xf0\x90\x80"s}) {
        EXPECT_THROW(refuse_bad_text(bad, place), Failure) << hex(bad);
        EXPECT_THROW(refuse_bad_text(Json{bad}, place), Failure) << hex(bad);
        EXPECT_NO_THROW(refuse_bad_text(Bytes{bad}, place)) << hex(bad);
    }
}

}  // namespace
}  // namespace trackops::sql::postgres
