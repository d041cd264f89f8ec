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
                                        "1e-444",
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
    EXPECT_EQ(document.root().text_of("name"), "the value of it");
    EXPECT_EQ(document.root().text_of("absent"), "");
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
              R"(["12345678901234567890123\"",12345678901234567890123,5])");
}

// The left text is written back as the right one.
TEST(Value, KeepsEveryDigit) {
    for (const auto& [text, kept] : std::initializer_list<std::pair<const char*, const char*>>{
             {"12345678901234567890123", "12345678901234567890123"},
             {"-9223372036854775809", "-9223372036854775809"},
             {"18446744073709551615", "18446744073709551615"},
             {"9007199254740993", "9007199254740993"},
             {"9007199254740993.0", "9007199254740993.0"},
             {"19.90", "19.90"},
             {"0.12345678901234567890", "0.12345678901234567890"},
             {"123456789012345678.901", "123456789012345678.901"},
             {"1e2", "100"},
             {"1.50E+1", "15.0"},
             {"1.5e-3", "0.0015"},
             {"-0.05e3", "-50"},
             {"0.05e1", "0.5"},
             {"12345678901234567890123e0", "12345678901234567890123"},
             {"[-0, -0.0, 0e5, 0E-999999999999999999999, -0.00]", "[0,0.0,0,0,0.00]"},
             {R"({"a": ["1e5", 1e5, "\"1e5"], "b\\": 2.50})",
              R"({"a":["1e5",100000,"\"1e5"],"b\\":2.50})"},
         }) {
        EXPECT_EQ(parsed(text).root().minified(), kept) << text;
    }
    EXPECT_EQ(parsed("1e308").root().minified(), "1" + std::string(308, '0'));
    EXPECT_EQ(parsed("5e-324").root().minified(), "0." + std::string(323, '0') + "5");
    const auto inner = parsed(R"({"a":1.10,"b":{"c":[2.20,3,4.40]}})");
    EXPECT_EQ(inner.root().find("b")->minified(), R"({"c":[2.20,3,4.40]})");
}

TEST(Value, StopsToWriteBehindALimit) {
    const auto document = parsed("[" + nested(20, "1e300") + ",1e300,1e300,1e300,1e300]");
    EXPECT_LT(document.root().minified(100).size(), 700U);
    EXPECT_GT(document.root().minified(100).size(), 100U);
}

TEST(Value, HasOneCanonicalText) {
    const std::string canonical =
        parsed(R"({"b":[100,null],"a":{"d":"\u00e9","c":1.5}})").root().canonical();
    EXPECT_EQ(canonical, "{\"a\":{\"c\":15e-1,\"d\":\"\u00e9\"},\"b\":[1e2,null]}");
    for (const auto* text :
         {"{\"a\":{\"c\":1.50,\"d\":\"\u00e9\"},\"b\":[100.0,null]}",
          "\n{ \"b\" : [ 1e2 , null ] , \"a\" : {\"d\":\"\\u00E9\",\"c\":0.15e1}}\r\n"}) {
        EXPECT_EQ(parsed(text).root().canonical(), canonical) << text;
    }
    for (const auto* text : {R"({"b":[null,100],"a":{"d":"\u00e9","c":1.5}})",
                             R"({"b":[100],"a":{"d":"\u00e9","c":1.5}})",
                             R"({"b":["100",null],"a":{"d":"\u00e9","c":1.5}})",
                             R"({"b":[101,null],"a":{"d":"\u00e9","c":1.5}})"}) {
        EXPECT_NE(parsed(text).root().canonical(), canonical) << text;
    }
    EXPECT_EQ(parsed("[0,-0,0.0,0e9,-0.00]").root().canonical(), "[0,0,0,0,0]");
    EXPECT_NE(parsed("12345678901234567890123").root().canonical(),
              parsed("12345678901234567890124").root().canonical());
    EXPECT_EQ(parsed("12345678901234567890120").root().canonical(),
              parsed("1234567890123456789012.0e1").root().canonical());
}

std::string detail_of(std::string_view text) {
    const auto document = Document::parse(text);
    return document ? "" : document.error().detail;
}

TEST(Document, NamesThePlaceOfAFault) {
    const std::string where = "the JSON is not well-formed at line ";
    EXPECT_EQ(detail_of("{\"a\": "),
              where + "1, column 7: the text ends where a value is expected");
    EXPECT_EQ(detail_of("{\r\n  \"\u00e9\": 1,\r\n}"),
              where + "3, column 1: a comma stands before the closing bracket");
    EXPECT_EQ(detail_of("[\"\u0e01\u0e02\", x]"), where + "1, column 8: a value is expected");
    EXPECT_EQ(detail_of("\xEF\xBB\xBF[1 2]"), where + "1, column 4: ',' or ']' is expected");
    EXPECT_EQ(detail_of("{\"a\":1,\"b\":2,\"a\":3}"),
              "the JSON names the member 'a' of an object twice");
    EXPECT_EQ(detail_of(""), "the JSON is empty");
    EXPECT_EQ(detail_of(" \n"), "the JSON is empty");
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
            EXPECT_EQ(reader.maybe_text("long", {.max_characters = 3}), std::nullopt);
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
    EXPECT_EQ(faults,
              (std::vector<FieldError>{
                  {"/missing", "is required", "required"},
                  {"/null", "is required", "required"},
                  {"/type", "must be a string", "type"},
                  {"/empty", "must not be empty", "length"},
                  {"/long", "must have between 1 and 3 characters, and has 4", "length"},
                  {"/control", "must not contain control characters", "format"},
                  {"/form", "must be an ISO 4217 code", "format"},
                  {"/half", "must be an integer", "type"},
                  {"/low", "must be between 1 and 1000000", "range"},
                  {"/vast", "must be at least 1", "range"},
                  {"/big", "must be between 1 and 9", "range"},
                  {"/id", "must be a UUID, such as 018bcfe5-687b-7abc-8123-456789abcdef", "format"},
                  {"/id2", "must be a string that holds a UUID", "type"},
                  {"/object", "must be an object", "type"},
                  {"/array", "must be an array", "type"},
                  {"/few", "must have between 1 and 2 elements", "length"},
                  {"/many", "must have between 1 and 2 elements", "length"},
                  {"/absent", "is required", "required"},
                  {"/a~1b~0c",
                   "is not known here; known are missing, null, type, empty, long, control, form, "
                   "half, low, vast, big, id, id2, object, array, few, many, absent, optional",
                   "unknown"},
              }));
}

TEST(ObjectReader, CutsTheBlanksAroundTextsForPeople) {
    const TextRule line{.max_characters = 3, .form = TextForm::line};
    const TextRule paragraph{.max_characters = 9, .form = TextForm::paragraph};
    const auto faults = faults_of(
        R"({"l":" ab\n","e":"","b":" \t\u3000","p":"\n a\r\n\tb \n","w":" a","long":"    abc    ","thai":"\u0e01\u0e02\u0e03",
            "emoji":"\ud83d\ude00\ud83d\ude00\ud83d\ude00","n":null,"w2":""})",
        [&](ObjectReader& in) {
            EXPECT_EQ(in.text("l", line), "ab");
            EXPECT_EQ(in.maybe_text("e", line), std::nullopt);
            EXPECT_EQ(in.maybe_text("b", paragraph), std::nullopt);
            EXPECT_EQ(in.text("p", paragraph), "a\r\n\tb");
            EXPECT_EQ(in.text("w", {}), " a");
            EXPECT_EQ(in.text("long", line), "abc");
            EXPECT_EQ(in.text("thai", line), "\u0e01\u0e02\u0e03");
            EXPECT_EQ(in.text("emoji", line), "\U0001F600\U0001F600\U0001F600");
            for (const auto* nothing : {"e", "b", "n"})
                EXPECT_TRUE(in.is_given_as_nothing(nothing));
            for (const auto* something : {"l", "absent"})
                EXPECT_FALSE(in.is_given_as_nothing(something));
            (void)in.maybe_text("w2", {});
        });
    EXPECT_EQ(faults, (std::vector<FieldError>{{"/w2", "must not be empty", "length"}}));
}

TEST(ObjectReader, RefusesControlCharactersAsTheFormSays) {
    const TextRule line{.max_characters = 9, .form = TextForm::line};
    const TextRule paragraph{.max_characters = 9, .form = TextForm::paragraph};
    const auto faults = faults_of(
        R"({"l":"a\nb","l2":"a\tb","l3":"a\u0000b","p":"a\u0000b","p2":"a\u007f","p3":"a\u000bb","b":" ","four":"abcdefghij"})",
        [&](ObjectReader& in) {
            for (const auto* name : {"l", "l2", "l3", "b", "four"}) in.text(name, line);
            for (const auto* name : {"p", "p2", "p3"}) in.text(name, paragraph);
        });
    const std::string one_line = "must be one line, without line breaks and tabs";
    const std::string no_control =
        "must not contain control characters other than line breaks and tabs";
    EXPECT_EQ(faults, (std::vector<FieldError>{
                          {"/l", one_line, "format"},
                          {"/l2", one_line, "format"},
                          {"/l3", "must not contain control characters", "format"},
                          {"/b", "must not be empty", "length"},
                          {"/four", "must have between 1 and 9 characters, and has 10", "length"},
                          {"/p", no_control, "format"},
                          {"/p2", no_control, "format"},
                          {"/p3", no_control, "format"},
                      }));
}

TEST(ObjectReader, SaysWhatAnUnknownMemberWasMeantToBe) {
    const auto faults =
        faults_of(R"({"customer_id":1,"quantitiy":1,"colour":1,"unit_amount":1,"unitAmount":5})",
                  [](ObjectReader& in) {
                      for (const auto* name : {"customerId", "quantity"})
                          in.maybe_integer(name, {});
                      in.integer("unitAmount", {.max = 1, .explanation = " of pence"});
                      in.integer("unitAmount", {});
                  });
    EXPECT_EQ(
        faults,
        (std::vector<FieldError>{
            {"/unitAmount", "must be between 0 and 1", "range"},
            {"/customer_id", "is not known here; did you mean customerId?", "unknown"},
            {"/quantitiy", "is not known here; did you mean quantity?", "unknown"},
            {"/colour", "is not known here; known are customerId, quantity, unitAmount", "unknown"},
            {"/unit_amount", "is not known here", "unknown"},
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
