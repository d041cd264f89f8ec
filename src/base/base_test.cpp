#include <gtest/gtest.h>

#include "base/country.hpp"
#include "base/id.hpp"
#include "base/instant.hpp"
#include "base/lenient_instant.hpp"
#include "base/money.hpp"
#include "base/result.hpp"
#include "base/sku.hpp"
#include "base/uuid.hpp"

namespace trackops {
namespace {

TEST(Uuid, ReadsWhatItWrote) {
    const Uuid id = uuid_v7({1'700'000'000'123'456}, 0xabc, 0x0123456789abcdef);
    EXPECT_EQ(id.text(), "018bcfe5-687b-7abc-8123-456789abcdef");
    EXPECT_EQ(Uuid::parse(id.text()), id);
    EXPECT_EQ(Uuid::parse("018BCFE5-687B-7ABC-8123-456789ABCDEF"), id);
}

TEST(Uuid, RefusesEveryOtherForm) {
    for (const auto* text :
         {"", "018bcfe5687b7abc8123456789abcdef", "018bcfe5-687b-7abc-8123-456789abcde",
          "018bcfe5-687b-7abc-8123-456789abcdeg", "018bcfe5-687b-7abc-8123+456789abcdef",
          "{018bcfe5-687b-7abc-8123-456789abcdef}"}) {
        EXPECT_FALSE(Uuid::parse(text)) << text;
    }
}

TEST(Uuid, OfALaterMillisecondSortsLater) {
    EXPECT_LT(uuid_v7({1000}, ~0ULL, ~0ULL), uuid_v7({2000}, 0, 0));
}

TEST(Instant, ReadsWhatItWrote) {
    for (const std::int64_t micros : {0L, 1'700'000'000'123'456L, -1L, 253'402'300'799'999'999L}) {
        EXPECT_EQ(Instant::parse(Instant{micros}.text()), Instant{micros})
            << Instant{micros}.text();
    }
    EXPECT_EQ(Instant{1'700'000'000'123'456}.text(), "2023-11-14T22:13:20.123456Z");
}

TEST(Instant, ReadsOffsetsAndFractions) {
    const Instant expected{1'700'000'000'500'000};
    for (const auto* text : {"2023-11-14T22:13:20.5Z", "2023-11-14t22:13:20.500000999z",
                             "2023-11-15T00:13:20.5+02:00", "2023-11-14 17:13:20.5-05:00"}) {
        EXPECT_EQ(Instant::parse(text), expected) << text;
    }
}

TEST(Instant, RefusesWhatIsNoTime) {
    for (const auto* text :
         {"", "2023-11-14", "2023-02-29T00:00:00Z", "2023-11-14T24:00:00Z", "2023-11-14T22:13:60Z",
          "2023-11-14T22:13:20", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20Zx",
          "2023-11-14T22:13:20.1234567890Z", "0000-11-14T22:13:20Z"}) {
        EXPECT_FALSE(Instant::parse(text)) << text;
    }
}

TEST(Instant, HasAYearOfFourDigitsWhateverTheOffset) {
    for (const auto* text : {"0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"}) {
        const auto at = Instant::parse(text);
        ASSERT_TRUE(at) << text;
        EXPECT_EQ(Instant::parse(at->text()), at) << text;
    }
    EXPECT_FALSE(Instant::parse("0001-01-01T00:00:00+00:01"));
    EXPECT_FALSE(Instant::parse("9999-12-31T23:59:59-00:01"));
}

TEST(Instant, TakesTheFormsThatPeopleAndUrlsWrite) {
    const auto midnight = Instant::parse("2026-11-30T00:00:00Z");
    for (const auto* text : {"2026-11-30", "2026-11-30T00:00:00Z", "2026-11-30T01:00:00 01:00",
                             "2026-11-29T20:00:00-04:00", "2026-11-30T01:00:00+01:00"}) {
        EXPECT_EQ(parse_leniently(text), midnight) << text;
    }
    EXPECT_EQ(parse_leniently("2016-12-31T23:59:60Z"), Instant::parse("2017-01-01T00:00:00Z"));
    EXPECT_EQ(parse_leniently("2017-01-01T00:59:60.25 01:00"),
              Instant::parse("2017-01-01T00:00:00.25Z"));
    for (const auto* text : {"", "2026-11-3", "2026-02-30", "30.11.2026", "2026-11-30T10:00:00",
                             "2026-11-30T22:13:60Z", "2026-11-30T23:59:60+01:00",
                             "9999-12-31T23:59:60Z", "2026-11-30 01:00", "yesterday"}) {
        EXPECT_FALSE(parse_leniently(text)) << text;
    }
}

TEST(Money, SaysWhenASumDoesNotFit) {
    EXPECT_EQ(checked_add(1, 2), 3);
    EXPECT_FALSE(checked_add(max_amount_minor, 1));
    EXPECT_EQ(checked_multiply(1'000'000, 1'000'000), 1'000'000'000'000);
    EXPECT_FALSE(checked_multiply(1'000'000'000, 1'000'000'000));
    EXPECT_FALSE(checked_multiply(std::int64_t{1} << 62, 4));
}

TEST(Money, KnowsTheCodes) {
    for (const auto* code : {"GBP", "AED", "ZWG", "HRK", "DEM", "ADP", "ZWR"})
        EXPECT_TRUE(is_currency(code)) << code;
    for (const auto* code : {"gbp", "XXX", "", "BPG", "XAU", "DDM", "EU"})
        EXPECT_FALSE(is_currency(code)) << code;
}

TEST(Country, KnowsTheCodes) {
    for (const auto* code : {"GB", "AD", "ZW", "XK"}) EXPECT_TRUE(is_country(code)) << code;
    for (const auto* code : {"UK", "gb", "G", "", "EU", "XX"})
        EXPECT_FALSE(is_country(code)) << code;
}

TEST(Country, KnowsWhichNeedAPostalCode) {
    for (const auto* code : {"GB", "US", "DE", "NL", "JP", "AS", "ZA"})
        EXPECT_TRUE(needs_postal_code(code)) << code;
    for (const auto* code : {"HK", "AE", "QA", "JM", "IE", "PA", "XK", "", "??"})
        EXPECT_FALSE(needs_postal_code(code)) << code;
}

TEST(Country, KnowsWhichNeedARegion) {
    for (const auto* code : {"US", "CA", "AU", "BR", "IN"}) EXPECT_TRUE(needs_region(code)) << code;
    for (const auto* code : {"GB", "DE", "JP", "HK", "AE", "PR", "", "??"})
        EXPECT_FALSE(needs_region(code)) << code;
}

TEST(Country, KnowsTheFormOfItsPostalCodes) {
    struct Case {
        const char* country;
        const char* code;
    };
    for (const auto& [country, code] :
         std::initializer_list<Case>{{"GB", "SW1Y 4JH"},
                                     {"GB", "sw1y4jh"},
                                     {"GB", "N1"},
                                     {"GB", "BFPO 61"},
                                     {"US", "95014"},
                                     {"US", "22162-1010"},
                                     {"DE", "10115"},
                                     {"DE", "D-10115"},
                                     {"FI", "FIN-00550"},
                                     {"LV", "LV-1073"},
                                     {"LV", "1073"},
                                     {"VC", "0100"},
                                     {"KY", "1-1100"},
                                     {"NL", "1234ab"},
                                     {"CA", "k1a-0b1"},
                                     {"JP", "\u3012154-0023"},
                                     {"JP", "\uFF11\uFF15\uFF14\u30FC\uFF10\uFF10\uFF12\uFF13"},
                                     {"IR", "\u06F1\u06F1\u06F9\u06F3\u06F6-12345"},
                                     {"IE", "D02"},
                                     {"IE", "a65f4e2"},
                                     {"MT", "VCT 1753"},
                                     {"BR", "40301110"},
                                     {"SE", "SE-114 55"},
                                     {"PE", "Lima 4"},
                                     {"HK", "999077"},
                                     {"AE", "anything \u00e9"}})
        EXPECT_TRUE(is_postal_code(country, code)) << country << ' ' << code;
    for (const auto& [country, code] : std::initializer_list<Case>{{"GB", "10115"},
                                                                   {"GB", "SW1Y 4J"},
                                                                   {"US", "9501"},
                                                                   {"US", "22162-101"},
                                                                   {"US", "ABCD"},
                                                                   {"DE", "1011"},
                                                                   {"DE", "101155"},
                                                                   {"DE", "ABCD-10115"},
                                                                   {"NL", "1234"},
                                                                   {"CA", "K1A"},
                                                                   {"JP", "154"},
                                                                   {"GB", ""},
                                                                   {"DE", "10115\u00e9"},
                                                                   {"IE", "4E2"},
                                                                   {"GB", "-"}})
        EXPECT_FALSE(is_postal_code(country, code)) << country << ' ' << code;
    EXPECT_EQ(postal_code_example("GB"), "SW1Y 4JH");
    EXPECT_EQ(postal_code_example("HK"), "");
}

TEST(Sku, FollowsItsPattern) {
    EXPECT_TRUE(is_sku("85123A") && is_sku("a") && is_sku("A b._/:-") &&
                is_sku(std::string(64, 'x')));
    EXPECT_FALSE(is_sku("") || is_sku(" a") || is_sku(std::string(65, 'x')) || is_sku("a\"b") ||
                 is_sku("a\xc3\xa9"));
}

TEST(Sku, OfAClientHasNoBlankThatNobodySees) {
    EXPECT_TRUE(is_plain_sku("A b c") && is_plain_sku("a") && is_plain_sku(std::string(64, 'x')));
    for (const auto* text : {"A-1 ", " A-1", "A  1", "", "A "})
        EXPECT_FALSE(is_plain_sku(text)) << text;
    EXPECT_TRUE(is_sku("A-1 ") && is_sku("A  1")) << "stored by an older version";
}

Result<int> halve(int number) {
    if (number % 2 != 0) return fail(Errc::invalid, "odd");
    return number / 2;
}

Result<int> quarter(int number) {
    const int half = TRY(halve(number));
    return TRY(halve(half));
}

TEST(Result, TriesStepByStep) {
    EXPECT_EQ(quarter(8), 2);
    EXPECT_EQ(quarter(6).error(), (Error{Errc::invalid, "odd"}));
}

}  // namespace
}  // namespace trackops
