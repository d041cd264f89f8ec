#include "load/step.hpp"

#include <sstream>

#include <gtest/gtest.h>

#include "load/line_reader.hpp"
#include "load/per_order_queue.hpp"

namespace trackops::load {
namespace {

template <class T>
T parsed(std::string_view line) {
    const auto step = parse_step(line);
    if (!step) throw std::runtime_error(step.error().detail);
    return std::get<T>(*step);
}

TEST(Step, ReadsEachKindOfEvent) {
    const auto order = parsed<PlaceOrder>(R"({"order":{"externalRef":"7","items":[{"sku":"é"}]}})");
    EXPECT_EQ(order.reference, "7");
    EXPECT_EQ(order.body, R"({"externalRef":"7","items":[{"sku":"é"}]})");
    const auto cancel =
        parsed<CancelOrder>(R"({"cancel":{"externalRef":"7","reason":"CUSTOMER_REQUEST"}})");
    EXPECT_EQ(cancel.reference, "7");
    EXPECT_EQ(cancel.body, R"({"reason":"CUSTOMER_REQUEST"})");
    const auto adjust =
        parsed<AdjustStock>(R"({"adjust":{"sku":"a/b","delta":3,"reason":"RETURN","key":"C1-1"}})");
    EXPECT_EQ(adjust.sku, "a/b");
    EXPECT_EQ(adjust.key, "C1-1");
    EXPECT_EQ(adjust.body, R"({"delta":3,"reason":"RETURN"})");
    EXPECT_EQ(parsed<NotSent>(R"({"refused":{"externalRef":"9","reason":"no goods"}})").reason,
              "no goods");
}

TEST(Step, TakesABareBodyAsAnOrder) {
    const auto order = parsed<PlaceOrder>(R"({"customerId":"x"})");
    EXPECT_EQ(order.reference, "");
    EXPECT_EQ(order.body, R"({"customerId":"x"})");
}

TEST(Step, RefusesWhatIsNoEvent) {
    for (const auto* line : {"", "{", "[]", "7", R"({"cancel":{}})", R"({"adjust":{"sku":"a"}})"})
        EXPECT_FALSE(parse_step(line)) << line;
}

TEST(Step, EncodesWhatAPathCannotHold) {
    EXPECT_EQ(percent_encoded("a/b c?é~"), "a%2Fb%20c%3F%C3%A9~");
}

Scheduled scheduled(std::string reference, std::int64_t line) {
    return {.step = CancelOrder{std::move(reference), {}}, .intended = {}, .line = line};
}

TEST(PerOrderQueue, LetsOnlyOneStepOfAnOrderRunAndKeepsTheirOrder) {
    PerOrderQueue sequence;
    EXPECT_TRUE(sequence.start_or_enqueue(scheduled("a", 1)));
    EXPECT_FALSE(sequence.start_or_enqueue(scheduled("a", 2)));
    EXPECT_FALSE(sequence.start_or_enqueue(scheduled("a", 3)));
    EXPECT_TRUE(sequence.start_or_enqueue(scheduled("b", 4)));
    EXPECT_EQ(sequence.waiting(), 2U);
    EXPECT_EQ(sequence.finish("a")->line, 2);
    EXPECT_EQ(sequence.finish("a")->line, 3);
    EXPECT_FALSE(sequence.finish("a"));
    EXPECT_TRUE(sequence.start_or_enqueue(scheduled("a", 5)));
    EXPECT_EQ(sequence.waiting(), 0U);
}

TEST(PerOrderQueue, HoldsUpNothingThatHasNoReference) {
    PerOrderQueue sequence;
    EXPECT_TRUE(sequence.start_or_enqueue(scheduled("", 1)));
    EXPECT_TRUE(sequence.start_or_enqueue(scheduled("", 2)));
    EXPECT_FALSE(sequence.finish(""));
}

TEST(LineReader, SkipsEmptyOnesAndKnowsWhereItIs) {
    std::istringstream text("a\n\n  \r\nb");
    LineReader lines({text, 9});
    EXPECT_EQ(lines.next(), "a");
    EXPECT_EQ(lines.number(), 1);
    EXPECT_EQ(lines.next(), "b");
    EXPECT_EQ(lines.number(), 4);
    EXPECT_EQ(lines.next(), std::nullopt);
    EXPECT_DOUBLE_EQ(lines.share(), 1);
}

TEST(LineReader, CutsOffALineWithoutEnd) {
    std::istringstream text(std::string(line_bytes_max + 10, 'x') + "\nb");
    LineReader lines({text});
    EXPECT_EQ(lines.next()->size(), line_bytes_max);
    EXPECT_EQ(lines.next(), "b");
}

}  // namespace
}  // namespace trackops::load
