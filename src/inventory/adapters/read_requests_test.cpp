#include "inventory/adapters/read_requests.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace trackops::inventory::adapters {
namespace {

http::Request asking(std::vector<std::pair<std::string, std::string>> query,
                     std::vector<std::pair<std::string, std::string>> headers = {}) {
    http::Request request;
    request.query = std::move(query);
    request.headers = std::move(headers);
    return request;
}

std::vector<std::string> pointers(const Error& error) {
    std::vector<std::string> list;
    for (const FieldError& fault : error.fields) list.push_back(fault.pointer);
    std::ranges::sort(list);
    return list;
}

TEST(ReadItem, TakesUnitsUpToTheirBorders) {
    const auto on_hand = [](std::string_view units) {
        return read_new_item(fmt::format(R"({{"sku":"a","name":"a","onHand":{}}})", units));
    };
    EXPECT_EQ(std::get<domain::CreateItem>(on_hand("0")->command).on_hand, 0);
    EXPECT_EQ(std::get<domain::CreateItem>(on_hand("1000000000000")->command).on_hand,
              domain::max_units);
    for (const auto* units : {"-1", "1000000000001"}) {
        EXPECT_EQ(pointers(on_hand(units).error()), std::vector<std::string>{"/onHand"}) << units;
    }
    EXPECT_EQ(
        std::get<domain::CreateItem>(read_new_item(R"({"sku":"a","name":"a"})")->command).on_hand,
        0);
}

TEST(ReadItem, TakesTextsUpToTheirBorders) {
    const auto item = [](std::size_t sku, std::size_t name) {
        return read_new_item(fmt::format(R"({{"sku":"{}","name":"{}"}})", std::string(sku, 's'),
                                         std::string(name, 'n')));
    };
    EXPECT_TRUE(item(64, 200));
    EXPECT_EQ(pointers(item(65, 201).error()), (std::vector<std::string>{"/name", "/sku"}));
    EXPECT_EQ(pointers(item(0, 0).error()), (std::vector<std::string>{"/name", "/sku"}));
}

TEST(ReadAdjustment, TakesDeltasUpToTheirBorders) {
    const auto delta = [](std::string_view number) {
        return read_adjustment(fmt::format(R"({{"delta":{},"reason":"RETURN"}})", number));
    };
    for (const auto& [text, number] :
         {std::pair{"1", std::int64_t{1}}, std::pair{"-1", std::int64_t{-1}},
          std::pair{"1000000000000", domain::max_units},
          std::pair{"-1000000000000", -domain::max_units}}) {
        EXPECT_EQ(delta(text).value().delta, number);
    }
    for (const auto* number : {"0", "1000000000001", "-1000000000001"})
        EXPECT_EQ(pointers(delta(number).error()), std::vector<std::string>{"/delta"}) << number;
}

TEST(ReadAdjustment, TakesAnyWordInCapitalsForAReason) {
    const auto reason = [](std::string_view word) {
        return read_adjustment(fmt::format(R"({{"delta":1,"reason":"{}"}})", word));
    };
    for (const auto* word : {"A", "Z", "AZ_09", "BULKY"})
        EXPECT_EQ(reason(word).value().reason, word);
    for (const auto* word : {"@A", "[A", "A@", "A[", "A/", "A:", "a", "_A", "CREATED", "DELETED",
                             "BULK", "SHIPMENT"}) {
        EXPECT_EQ(pointers(reason(word).error()), std::vector<std::string>{"/reason"}) << word;
    }
}

TEST(ReadList, TakesLimitsAndWordsUpToTheirBorders) {
    EXPECT_EQ(read_item_list(asking({}))->limit, 50U);
    for (const auto& [limit, number] : {std::pair{"1", 1U}, std::pair{"500", 500U}})
        EXPECT_EQ(read_item_list(asking({{"limit", limit}})).value().limit, number);
    for (const auto* limit : {"0", "501", "-1", "1 "})
        EXPECT_FALSE(read_movement_list(asking({{"limit", limit}}))) << limit;
    const std::string longest(200, 'x');
    const auto list = read_item_list(
        asking({{"category", longest}, {"q", longest}, {"lowStock", "true"}, {"cursor", "a b"}}));
    ASSERT_TRUE(list);
    EXPECT_EQ(list->filter.category, longest);
    EXPECT_EQ(list->filter.words, longest);
    EXPECT_TRUE(list->filter.low_stock);
    EXPECT_EQ(list->cursor, "a b");
    EXPECT_FALSE(read_item_list(asking({{"lowStock", "false"}}))->filter.low_stock);
    EXPECT_EQ(
        pointers(
            read_item_list(asking({{"category", longest + "x"}, {"q", longest + "x"}})).error()),
        (std::vector<std::string>{"category", "q"}));
}

TEST(ReadPatch, ClearsATextThatIsEmptied) {
    for (const auto* nothing : {"null", "\"\"", "\" \\n\""}) {
        const auto patch =
            read_patch(fmt::format(R"({{"description":{},"category":{}}})", nothing, nothing));
        ASSERT_TRUE(patch) << nothing;
        ASSERT_TRUE(patch->patch.description && patch->patch.category);
        EXPECT_FALSE(*patch->patch.description || *patch->patch.category);
        EXPECT_EQ(pointers(read_patch(fmt::format(R"({{"name":{}}})", nothing)).error()),
                  std::vector<std::string>{"/name"});
    }
    EXPECT_FALSE(read_patch("{}")->patch.description);
    EXPECT_EQ(read_patch(R"({"onHand":5})").error().fields.size(), 1U);
}

TEST(ReadAvailability, TakesAListOfSkus) {
    EXPECT_EQ(read_availability(R"({"skus":["b","a","b"]})").value(),
              (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(pointers(read_availability(R"({"skus":["b","?",7]})").error()),
              (std::vector<std::string>{"/skus/1", "/skus/2"}));
    for (const auto* body : {"{}", R"({"skus":[]})", R"({"skus":"a"})"})
        EXPECT_EQ(pointers(read_availability(body).error()), std::vector<std::string>{"/skus"});
}

TEST(ReadAvailability, TakesAsManySkusAsAPageHas) {
    std::vector<std::pair<std::string, std::string>> query;
    for (std::size_t i = 0; i < availability_skus_max; ++i)
        query.emplace_back("sku", fmt::format("S{}", i));
    EXPECT_EQ(read_availability(asking(query)).value().size(), availability_skus_max);
    query.back().second = "S0";
    EXPECT_EQ(read_availability(asking(query)).value().size(), availability_skus_max - 1);
    query.emplace_back("sku", "S0");
    EXPECT_EQ(read_availability(asking(query)).error().fields.at(0).code, "range");
}

}  // namespace
}  // namespace trackops::inventory::adapters
