#include "platform/sql/value.hpp"

#include <gtest/gtest.h>

namespace trackops::sql {
namespace {

TEST(Row, ReadsTextAsWhatItStandsFor) {
    const Uuid id = uuid_v7({1'700'000'000'000'000}, 1, 2);
    const Instant at{123'456};
    const Row sqlite({id.text(), at.text(), 1, "{}"});
    const Row postgres({id, at, true, Json{"{}"}});
    for (const auto& row : {sqlite, postgres}) {
        EXPECT_EQ(row.uuid(0), id);
        EXPECT_EQ(row.maybe_uuid(0), id);
        EXPECT_EQ(row.instant(1), at);
        EXPECT_EQ(row.maybe_instant(1), at);
        EXPECT_TRUE(row.boolean(2));
        EXPECT_EQ(row.text(3), "{}");
        EXPECT_EQ(row.maybe_text(3), "{}");
    }
}

TEST(Row, RefusesToGuess) {
    const Row row({"text", 2, true, Bytes{"b"}, Null{}, Instant{1}});
    EXPECT_THROW(row.uuid(0), std::logic_error);
    EXPECT_THROW(row.instant(0), std::logic_error);
    EXPECT_THROW(row.integer(0), std::logic_error);
    EXPECT_THROW(row.bytes(0), std::logic_error);
    EXPECT_THROW(row.boolean(1), std::logic_error);
    EXPECT_THROW(row.text(1), std::logic_error);
    EXPECT_THROW(row.integer(2), std::logic_error);
    EXPECT_THROW(row.text(3), std::logic_error);
    EXPECT_THROW(row.text(4), std::logic_error);
    EXPECT_THROW(row.text(5), std::logic_error);
    EXPECT_THROW(row.text(6), std::logic_error);
    EXPECT_EQ(row.maybe_integer(4), std::nullopt);
    EXPECT_EQ(row.maybe_integer(1), 2);
}

TEST(Value, TakesOptionalsAndIds) {
    using ThingId = Id<struct ThingTag>;
    const ThingId id(uuid_v7({1}, 1, 2));
    EXPECT_EQ(Row({id}).uuid(0), id.uuid);
    EXPECT_EQ(Row({std::optional<ThingId>(id)}).uuid(0), id.uuid);
    EXPECT_TRUE(Value(std::optional<std::string>()).is_null());
    // A literal is a text, not a boolean.
    EXPECT_EQ(Row({"literal"}).text(0), "literal");
}

}  // namespace
}  // namespace trackops::sql
