#include "platform/telemetry/log.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/instant.hpp"
#include "platform/telemetry/metrics.hpp"
#include "platform/telemetry/utf8.hpp"

namespace trackops::telemetry {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

template <class Write>
std::string written(Write write) {
    testing::internal::CaptureStderr();
    write();
    return testing::internal::GetCapturedStderr();
}

// Returns the JSON string that a message becomes, with its quotes.
std::string as_json(std::string_view message) {
    configure_log("", Level::debug, true);
    const std::string line = written([&] { log(Level::info, "test", message); });
    constexpr std::string_view before = "\"message\":";
    const std::size_t at = line.find(before) + before.size();
    return line.substr(at, line.size() - at - 2);
}

TEST(Utf8, IsCutAsUnicodeSays) {
    EXPECT_EQ(valid_utf8("aé€😀\xED\x9F\xBF"), "aé€😀\xED\x9F\xBF");
    EXPECT_EQ(valid_utf8("\x80"), "\uFFFD");            // not the first byte of a character
    EXPECT_EQ(valid_utf8("\xC0\xAF"), "\uFFFD\uFFFD");  // overlong
    EXPECT_EQ(valid_utf8("\xE0\x80\xAF"), "\uFFFD\uFFFD\uFFFD");            // overlong
    EXPECT_EQ(valid_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");            // a surrogate
    EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // above U+10FFFF
    EXPECT_EQ(valid_utf8("\xF0\x9F\x98z"), "\uFFFDz");  // a truncated sequence becomes one U+FFFD
    EXPECT_EQ(valid_utf8("\xE2\x82"), "\uFFFD");        // truncated by the end of the text
    EXPECT_EQ(valid_utf8("\xFF"), "\uFFFD");
}

TEST(Log, WritesOneJsonObjectALine) {
    configure_log("order-service", Level::info, true);
    const std::string line = written([] {
        log(Level::warn, "sql", "statement was slow", {{"statement", "order.load"}, {"ms", "812"}});
    });
    EXPECT_THAT(line, StartsWith(R"({"time":")"));
    EXPECT_TRUE(Instant::parse(line.substr(9, 27))) << line;
    EXPECT_EQ(
        line.substr(36),
        R"(","level":"warn","service":"order-service","logger":"sql","message":"statement was slow",)"
        R"("statement":"order.load","ms":"812"})"
        "\n");
}

TEST(Log, EscapesWhatJsonOrALineCannotHold) {
    EXPECT_EQ(as_json("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(as_json("a\nb\r\tc"), R"("a\nb\r\tc")");
    EXPECT_EQ(as_json(std::string_view("\0\x01\x1f\x7f", 4)), R"("\u0000\u0001\u001f\u007f")");
    EXPECT_EQ(as_json("\u0085\u009b\u00a0"), "\"\\u0085\\u009b\u00a0\"");
    EXPECT_EQ(as_json("\u2028\u2029\u2030"), "\"\\u2028\\u2029\u2030\"");
    EXPECT_EQ(as_json("{} %v €"), "\"{} %v €\"");  // the message is not a format string
    EXPECT_EQ(as_json(""), R"("")");
}

TEST(Log, ReplacesWhatIsNotUtf8) {
    EXPECT_EQ(as_json("a\xFF\"b"), "\"a\uFFFD\\\"b\"");
    EXPECT_EQ(as_json("\xE2\x82"), "\"\uFFFD\"");
}

TEST(Log, CutsWhatIsTooLongBetweenCharacters) {
    EXPECT_EQ(as_json(std::string(8192, 'x')), "\"" + std::string(8192, 'x') + "\"");
    EXPECT_EQ(as_json(std::string(8191, 'x') + "€!"),
              "\"" + std::string(8191, 'x') + "... (4 bytes more)\"");
}

TEST(Log, KeepsTheNamesOfItsOwnMembers) {
    configure_log("s", Level::info, true);
    const std::string line =
        written([] { log(Level::info, "l", "m", {{"level", "x"}, {"time", "y"}}); });
    EXPECT_THAT(line, EndsWith(R"("message":"m","level_":"x","time_":"y"})"
                               "\n"));
}

TEST(Log, SaysNothingBelowItsLevel) {
    configure_log("s", Level::warn, true);
    EXPECT_EQ(written([] { log(Level::info, "l", "m"); }), "");
    EXPECT_FALSE(is_logged(Level::info));
    EXPECT_TRUE(is_logged(Level::warn));
    configure_log("s", Level::off, true);
    EXPECT_EQ(written([] {
                  log(Level::error, "l", "m");
                  log(Level::off, "l", "m");
              }),
              "");
    EXPECT_FALSE(is_logged(Level::off));
}

TEST(Log, ForATerminalIsALineThatAPersonReads) {
    configure_log("order-service", Level::info, false);
    const std::string line = written([] {
        log(Level::warn, "sql", "slow\x1b[2J\n", {{"statement", "order.load"}, {"why", "a \"b\""}});
    });
    EXPECT_THAT(line, testing::ContainsRegex("^[0-9:]{8}\\.[0-9]{6} WARN  order-service sql: "));
    EXPECT_THAT(
        line, EndsWith("sql: slow\\u001b[2J\\n (statement=\"order.load\" why=\"a \\\"b\\\"\")\n"));
    EXPECT_EQ(std::ranges::count(line, '\n'), 1);
}

TEST(Log, OfSeveralThreadsDoesNotMixItsLines) {
    configure_log("s", Level::info, true);
    const std::string text = written([] {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([t] {
                for (int i = 0; i < 50; ++i) {
                    if (i == 25) configure_log("s", Level::info, true);
                    log(Level::info, "l", std::string(200, static_cast<char>('a' + t)));
                }
            });
        }
    });
    EXPECT_EQ(std::ranges::count(text, '\n'), 200);
    for (char c = 'a'; c < 'e'; ++c) {
        const std::string whole = "\"message\":\"" + std::string(200, c) + "\"}\n";
        std::size_t count = 0;
        for (std::size_t at = text.find(whole); at != std::string::npos;
             at = text.find(whole, at + 1))
            ++count;
        EXPECT_EQ(count, 50U) << c;
    }
}

TEST(Log, NamesTheTraceOfItsScope) {
    configure_log("", Level::info, true);
    const auto outer = parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    const SpanContext inner{{1}, {2}, 0};
    const SpanContext none;
    const auto line = [](std::initializer_list<Field> fields = {}) {
        return written([&] { log(Level::info, "test", "a line", fields); });
    };
    EXPECT_THAT(line(), EndsWith("\"message\":\"a line\"}\n"));
    const LogScope scope(*outer);
    const std::string ids =
        "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"span_id\":\"00f067aa0ba902b7\"}\n";
    EXPECT_THAT(line(), EndsWith(ids));
    EXPECT_THAT(line({{"trace_id", "mine"}}), EndsWith("\"a line\",\"trace_id\":\"mine\"}\n"));
    {
        const LogScope nested(inner);
        EXPECT_THAT(line(), HasSubstr("\"span_id\":\"0200000000000000\""));
        const LogScope nothing(none);
        EXPECT_THAT(line(), EndsWith("\"message\":\"a line\"}\n"));
    }
    EXPECT_THAT(line(), EndsWith(ids));
    std::thread([&] { EXPECT_THAT(line(), EndsWith("\"message\":\"a line\"}\n")); }).join();
}

TEST(Log, IsExportedBesideItsLine) {
    configure_log("order-service", Level::info, true);
    Registry metrics;
    Counter& dropped = metrics.counter("dropped_total", "of a test");
    const auto queue = std::make_shared<ExportQueue<LogRecord>>(ExportQueueLimits{.items_max = 2});
    export_log({queue, &dropped});
    const std::string lines = written([] {
        log(Level::debug, "test", "below the level");
        for (const auto* message : {"one", "tw\xFFo", "three"})
            log(Level::warn, "test", message, {{"order", "018b"}});
    });
    export_log({});
    (void)written([] { log(Level::warn, "test", "after the end"); });
    EXPECT_EQ(std::ranges::count(lines, '\n'),
              3);  // the line without room stands here all the same
    EXPECT_EQ(dropped.value(), 1);
    const auto records = queue->take();
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].message, "one");
    EXPECT_EQ(records[1].message, "tw\uFFFDo");
    EXPECT_EQ(records[0].level, Level::warn);
    EXPECT_EQ(records[0].logger, "test");
    EXPECT_EQ(records[0].fields,
              (std::vector<std::pair<std::string, std::string>>{{"order", "018b"}}));
    EXPECT_GT(records[0].at.micros, 1'700'000'000'000'000);
}

TEST(Log, HasALevelForEachLogger) {
    configure_log("", Level::warn, true);
    const auto lines = [](std::string_view logger, Level level) {
        return written([&] { log(level, logger, "x"); }).empty() ? 0 : 1;
    };
    EXPECT_TRUE(set_level("quiet", Level::error));
    EXPECT_TRUE(set_level("loud", Level::debug));
    EXPECT_EQ(lines("quiet", Level::warn), 0);
    EXPECT_EQ(lines("quiet", Level::error), 1);
    EXPECT_EQ(lines("loud", Level::debug), 1);
    EXPECT_EQ(lines("other", Level::info), 0);
    EXPECT_EQ(lines("other", Level::warn), 1);
    const auto named = [](std::string_view name) {
        for (const LoggerLevel& logger : logger_levels())
            if (logger.name == name) return logger;
        return LoggerLevel{.name = "none", .configured = {}};
    };
    EXPECT_EQ(logger_levels().front().name, root_logger);
    EXPECT_EQ(named("loud").configured, Level::debug);
    EXPECT_EQ(named("other").configured, std::nullopt);
    EXPECT_EQ(named("other").effective, Level::warn);
    EXPECT_TRUE(set_level(root_logger, Level::info));
    EXPECT_EQ(lines("other", Level::info), 1);
    EXPECT_EQ(lines("quiet", Level::info), 0);
    EXPECT_TRUE(set_level(root_logger, std::nullopt));
    EXPECT_EQ(lines("other", Level::info), 0);
    EXPECT_TRUE(set_level("loud", std::nullopt));
    EXPECT_TRUE(set_level("quiet", std::nullopt));
    EXPECT_EQ(lines("loud", Level::debug), 0);
    EXPECT_EQ(lines("quiet", Level::warn), 1);
}

TEST(Log, HasAtMostSoManyLoggersWithALevel) {
    configure_log("", Level::warn, true);
    const auto name = [](std::size_t i) { return "many" + std::to_string(i); };
    for (std::size_t i = 0; i < loggers_max; ++i) EXPECT_TRUE(set_level(name(i), Level::error));
    EXPECT_FALSE(set_level("one more", Level::error));
    EXPECT_TRUE(set_level(name(0), Level::warn));
    for (std::size_t i = 0; i < loggers_max; ++i) EXPECT_TRUE(set_level(name(i), std::nullopt));
    EXPECT_TRUE(set_level("one more", Level::error));
    EXPECT_TRUE(set_level("one more", std::nullopt));
}

}  // namespace
}  // namespace trackops::telemetry
