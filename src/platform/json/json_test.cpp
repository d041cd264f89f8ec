#include <gtest/gtest.h>

#include "platform/json/object_reader.hpp"
#include "platform/json/reader.hpp"
#include "platform/json/writer.hpp"

namespace trackops::json {
namespace {

Errc refusal_of(std::string_view text, Limits limits = {}) {
    const auto parsed = Document::parse(text, limits);
    EXPECT_FALSE(parsed) << text;
    return parsed ? Errc::internal : parsed.error().code;
}

Document parsed(std::string_view text) {
    auto document = Document::parse(text);
    if (!document) throw std::runtime_error(document.error().detail);
    return *std::move(document);
}

std::string nested(std::size_t levels, std::string_view core) {
    return std::string(levels, '[') + std::string(core) + std::string(levels, ']');
}

std::string object_of(std::size_t members) {
    std::string out;
    Writer writer(out);
    writer.begin_object();
    for (std::size_t i = 0; i < members; ++i)
        writer.member("member" + std::to_string(i), static_cast<int>(i));
    writer.end_object();
    return out;
}

TEST(Writer, PutsCommasWhereTheyBelong) {
    std::string out = "data: ";
    Writer writer(out);
    writer.begin_object()
        .member("a", 1)
        .member("b", "x")
        .name("c")
        .begin_array()
        .value(1)
        .begin_object()
        .end_object();
    writer.begin_array().end_array().value(true).null().decimal(0.5).end_array().name("d").raw(
        "{\"k\":[]}");
    writer.member("e", Instant{0})
        .member("f", Uuid{})
        .member("g", UINT64_MAX)
        .member("h", INT64_MIN)
        .end_object();
    EXPECT_EQ(
        out,
        R"(data: {"a":1,"b":"x","c":[1,{},[],true,null,0.5],"d":{"k":[]},"e":"1970-01-01T00:00:00.000000Z",)"
        R"("f":"00000000-0000-0000-0000-000000000000","g":18446744073709551615,"h":-9223372036854775808})");
}

TEST(Writer, EscapesSoThatAReaderGetsTheSameText) {
    std::string all;
    for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
    all += "\xc3\xa9\xf0\x9f\x98\x80";
    std::string out;
    Writer(out).begin_object().member(all, all).end_object();
    const auto document = parsed(out);
    EXPECT_EQ(document.root().find(all)->text(), all);
    EXPECT_EQ(document.root().minified(), out);
}

TEST(Writer, WritesNullForWhatIsNoNumber) {
    std::string out;
    Writer(out).begin_array().decimal(1.0 / 0.0).decimal(0.1).decimal(1e300).end_array();
    EXPECT_EQ(out, "[null,0.1,1e+300]");
}

TEST(Document, RefusesWhatIsNoJson) {
    EXPECT_EQ(refusal_of({}), Errc::malformed);  // a string_view without data
    for (const std::string_view text : {"",
                                        " ",
                                        "nul",
                                        "{",
                                        "[1",
                                        "[1,]",
                                        "{\"a\":1,}",
                                        "{\"a\"}",
                                        "{a:1}",
                                        "1 2",
                                        "[1]x",
                                        "01",
                                        "+1",
                                        ".5",
                                        "1.",
                                        "'a'",
                                        "\"a",
                                        "\"\\x\"",
                                        "\"\\ud800\"",
                                        "\"\\udc00\"",
                                        "\"a\nb\"",
                                        "\"\xff\"",
                                        "\"\xc0\x80\"",
                                        "\"\xed\xa0\x80\"",
                                        "\xEF\xBB\xBF",
                                        "{}\xEF\xBB\xBF",
                                        "\xEF\xBB\xBF\xEF\xBB\xBF{}",
                                        "NaN",
                                        "1e400",
                                        "99999999999999999999.",
                                        "[000000000000000000000001]"}) {
        EXPECT_EQ(refusal_of(text), Errc::malformed) << text;
    }
    EXPECT_EQ(refusal_of({"[1]\0", 4}), Errc::malformed);
}

TEST(Document, SkipsAByteOrderMark) {
    EXPECT_EQ(parsed("\xEF\xBB\xBF[217]").root().minified(), "[217]");
}

TEST(Document, RefusesAMemberNamedTwiceAtAnyDepth) {
    for (const auto* text : {R"({"a":1,"a":1})", R"({"a":1,"\u0061":2})",
                             R"([{"x":{"b":1,"c":2,"b":3}}])", R"({"":1,"":2})"}) {
        EXPECT_EQ(refusal_of(text), Errc::malformed) << text;
    }
    EXPECT_TRUE(Document::parse(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}],"A":1})"));
    for (const std::size_t members : {2, 15, 16, 17, 10'000}) {
        std::string text = object_of(members);
        EXPECT_TRUE(Document::parse(text)) << members;
        text.insert(text.size() - 1, R"(,"member0":1)");
        EXPECT_EQ(refusal_of(text), Errc::malformed) << members;
    }
}

TEST(Document, NestsAsDeepAsItMayAndNoDeeper) {
    for (const auto* core : {"1", "[]", "{}"}) {
        const std::size_t own = core[0] == '1' ? 0 : 1;
        EXPECT_TRUE(Document::parse(nested(32 - own, core))) << core;
        EXPECT_EQ(refusal_of(nested(33 - own, core)), Errc::invalid) << core;
        EXPECT_TRUE(Document::parse(nested(3 - own, core), {.depth_max = 3})) << core;
        EXPECT_EQ(refusal_of(nested(4 - own, core), {.depth_max = 3}), Errc::invalid) << core;
    }
    EXPECT_EQ(refusal_of(nested(1'000'000, "1")), Errc::invalid);
    EXPECT_TRUE(Document::parse("1", {.depth_max = 0}));
}

TEST(Document, DoesNotNeedItsTextAfterwards) {
    std::string text = R"({"name":"the value of it"})";
    const auto document = parsed(text);
    text.assign(text.size(), 'x');
    const auto other = parsed(R"({"name":"another text, same thread"})");
    EXPECT_EQ(document.root().find("name")->text(), "the value of it");
}

TEST(Value, KnowsItsKind) {
    const auto document = parsed(R"([{"a":1},[1,2],"t",7,7.5,true,null])");
    std::vector<Kind> kinds;
    document.root().each_element([&](std::size_t, Value value) { kinds.push_back(value.kind()); });
    EXPECT_EQ(kinds, (std::vector{Kind::object, Kind::array, Kind::text, Kind::integer,
                                  Kind::number, Kind::boolean, Kind::null}));
    EXPECT_EQ(document.root().size(), 7u);
    EXPECT_FALSE(document.root().text());
    EXPECT_FALSE(document.root().find("a"));
    EXPECT_FALSE(document.root().boolean());
    EXPECT_FALSE(document.root().number());
}

struct Number {
    const char* text;
    Kind kind;
    std::optional<std::int64_t> integer;
};

TEST(Value, TakesForAnIntegerWhatIsOne) {
    for (const auto& [text, kind, integer] : std::initializer_list<Number>{
             {"217", Kind::integer, 217},
             {"-0", Kind::integer, 0},
             {"217.0", Kind::number, 217},
             {"2.17e2", Kind::number, 217},
             {"217.5", Kind::number, {}},
             {"9223372036854775807", Kind::integer, INT64_MAX},
             {"-9223372036854775808", Kind::integer, INT64_MIN},
             {"9223372036854775808", Kind::number, {}},
             {"18446744073709551616", Kind::number, {}},
             {"-9223372036854775809", Kind::number, {}},
             {"123456789012345678901234567890", Kind::number, {}},
             {"9007199254740992.0", Kind::number, 9007199254740992},
             {"9007199254740994.0", Kind::number, {}},
             {"-9007199254740994.0", Kind::number, {}},
         }) {
        const auto document = parsed(text);
        EXPECT_EQ(document.root().kind(), kind) << text;
        EXPECT_EQ(document.root().integer(), integer) << text;
        EXPECT_TRUE(document.root().number()) << text;
    }
    const auto document = parsed(R"(["12345678901234567890123\"", 12345678901234567890123, 5])");
    EXPECT_EQ(document.root().minified(),
              R"(["12345678901234567890123\"",1.2345678901234568e+22,5])");
    EXPECT_EQ(parsed("[-0, -0.0, -1e-444]").root().minified(), "[0,0,0]");
}

bool is_upper(std::string_view text) { return text == "GBP"; }

std::vector<FieldError> faults_of(std::string_view text,
                                  const std::function<void(ObjectReader&)>& read) {
    const auto document = parsed(text);
    std::vector<FieldError> faults;
    ObjectReader reader(document.root(), "", faults);
    read(reader);
    reader.finish();
    return faults;
}

TEST(ObjectReader, TakesWhatIsRight) {
    const auto faults = faults_of(
        R"({"t":"x","i":5,"w":5.0,"u":"018bcfe5-687b-7abc-8123-456789abcdef","o":{"k":1},"a":[1,2],"n":null,"c":"GBP"})",
        [](ObjectReader& reader) {
            EXPECT_EQ(reader.text("t", {}), "x");
            EXPECT_EQ(reader.integer("i", {1, 5}), 5);
            EXPECT_EQ(reader.maybe_integer("w", {5, 5}), 5);
            EXPECT_EQ(reader.uuid("u").text(), "018bcfe5-687b-7abc-8123-456789abcdef");
            EXPECT_EQ(reader.object("o", true)->size(), 1u);
            std::string seen;
            reader.array("a", true, 1, 2, [&](Value value, const std::string& pointer) {
                seen += pointer + '=' + value.minified() + ' ';
            });
            EXPECT_EQ(seen, "/a/0=1 /a/1=2 ");
            EXPECT_EQ(reader.maybe_text("n", {}), std::nullopt);
            EXPECT_FALSE(reader.has("n"));
            EXPECT_TRUE(reader.has("t"));
            EXPECT_FALSE(reader.has("absent"));
            EXPECT_EQ(reader.text("c", {.is_valid = is_upper}), "GBP");
        });
    EXPECT_EQ(faults, std::vector<FieldError>{});
}

TEST(ObjectReader, NamesEveryFaultAtOnce) {
    const auto faults = faults_of(
        R"({"type":5,"empty":"","long":"abcd","control":"a\u007f","form":"gbp","half":1.5,"low":0,"vast":1e300,"big":99999999999999999999,
            "id":"x","id2":7,"object":[],"array":{},"few":[],"many":[1,2,3],"null":null,"a/b~c":1})",
        [](ObjectReader& reader) {
            EXPECT_EQ(reader.text("missing", {}), "");
            reader.text("null", {});
            EXPECT_EQ(reader.text("type", {}), "");
            reader.text("empty", {});
            EXPECT_EQ(reader.maybe_text("long", {.max_bytes = 3}), std::nullopt);
            reader.text("control", {});
            reader.text("form", {.is_valid = is_upper, .expected = "must be an ISO 4217 code"});
            EXPECT_EQ(reader.integer("half", {1, 9}), 0);
            reader.integer("low", {1, 1'000'000});
            reader.maybe_integer("vast", {.min = 1});
            reader.integer("big", {1, 9});
            EXPECT_EQ(reader.uuid("id"), Uuid{});
            EXPECT_EQ(reader.uuid("id2"), Uuid{});
            EXPECT_FALSE(reader.object("object", false));
            const auto never = [](Value, const std::string&) { ADD_FAILURE(); };
            reader.array("array", true, 0, 1, never);
            reader.array("few", true, 1, 2, never);
            reader.array("many", true, 1, 2, never);
            reader.array("absent", true, 1, 2, never);
            reader.array("optional", false, 1, 2, never);
        });
    EXPECT_EQ(faults, (std::vector<FieldError>{
                          {"/missing", "is required", "required"},
                          {"/null", "is required", "required"},
                          {"/type", "must be a string", "type"},
                          {"/empty", "must not be empty", "length"},
                          {"/long", "must have between 1 and 3 bytes", "length"},
                          {"/control", "must not contain control characters", "format"},
                          {"/form", "must be an ISO 4217 code", "format"},
                          {"/half", "must be an integer", "type"},
                          {"/low", "must be between 1 and 1000000", "range"},
                          {"/vast", "must be at least 1", "range"},
                          {"/big", "must be between 1 and 9", "range"},
                          {"/id", "must be a UUID", "format"},
                          {"/id2", "must be a string", "type"},
                          {"/object", "must be an object", "type"},
                          {"/array", "must be an array", "type"},
                          {"/few", "must have between 1 and 2 elements", "length"},
                          {"/many", "must have between 1 and 2 elements", "length"},
                          {"/absent", "is required", "required"},
                          {"/a~1b~0c", "is not known here", "unknown"},
                      }));
}

TEST(ObjectReader, OfNoObjectIsOneFault) {
    const auto faults = faults_of("[1]", [](ObjectReader& reader) {
        EXPECT_EQ(reader.text("a", {}), "");
        EXPECT_EQ(reader.integer("b", {}), 0);
        EXPECT_FALSE(reader.any("c"));
    });
    EXPECT_EQ(faults, (std::vector<FieldError>{{"", "must be an object", "type"}}));
}

TEST(ObjectReader, OfAnAbsentObjectAsksForNothing) {
    const auto faults = faults_of("{}", [](ObjectReader& reader) {
        std::vector<FieldError> inner;
        ObjectReader address(reader.object("address", true), "/address", inner);
        address.text("line1", {});
        address.finish();
        EXPECT_TRUE(inner.empty());
    });
    EXPECT_EQ(faults, (std::vector<FieldError>{{"/address", "is required", "required"}}));
}

TEST(ObjectReader, GathersNoMoreFaultsThanItMay) {
    EXPECT_EQ(faults_of(object_of(10'000), [](ObjectReader&) {}).size(), faults_max);
}

}  // namespace
}  // namespace trackops::json
