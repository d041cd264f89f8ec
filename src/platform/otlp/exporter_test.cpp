#include "platform/otlp/exporter.hpp"

#include <deque>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/telemetry/metrics.hpp"
#include "platform/telemetry/span.hpp"
#include "testing/fakes.hpp"

namespace trackops::otlp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using telemetry::Span;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ExporterTest : public ::testing::Test {
protected:
    // Each answer is used once; after them the collector takes everything.
    void answers(std::vector<PostResult> scripted) {
        answers_.assign(scripted.begin(), scripted.end());
    }
    void put(int count) {
        for (int i = 0; i < count; ++i) queue_.put({.name = std::to_string(++put_)});
    }
    // Runs the pump without waiting. Returns the seconds until the next call is worth it.
    double run() {
        return std::chrono::duration<double>(exporter_.run(Duration::zero()).call_again_in).count();
    }
    double value(const std::string& series) {
        const std::string text = metrics_.prometheus_text();
        const std::size_t at = text.find("\n" + series + " ");
        return at == text.npos ? -1 : std::stod(text.substr(at + series.size() + 2));
    }
    double dropped(const std::string& reason) {
        return value("trackops_traces_dropped_total{reason=\"" + reason + "\"}");
    }

    std::chrono::steady_clock::time_point now_{};
    trackops::testing::FixedChance chance_;  // no jitter
    telemetry::Registry metrics_;
    telemetry::ExportQueue<Span> queue_{{.items_max = 100, .batch_max = 3}};
    std::deque<PostResult> answers_;
    std::vector<std::string> posted_;
    Duration within_{};  // of the last post
    int put_ = 0;
    const ExporterOptions options_{.chance = &chance_, .now = [this] { return now_; }};
    Exporter<Span> exporter_{queue_,
                             [](const std::vector<Span>& batch) {
                                 std::string body;
                                 for (const Span& span : batch) body += span.name + ";";
                                 return body;
                             },
                             Sender(
                                 "traces",
                                 [this](const std::string& body, Duration within) -> PostResult {
                                     within_ = within;
                                     posted_.push_back(body);
                                     if (answers_.empty()) return {.status = 200};
                                     PostResult answer = answers_.front();
                                     answers_.pop_front();
                                     return answer;
                                 },
                                 options_, trace_meters(metrics_)),
                             options_};
};

TEST_F(ExporterTest, SendsAWholeBatchAtOnceAndASmallerOneAfterTheDelay) {
    put(2);
    EXPECT_EQ(run(), 5);
    EXPECT_THAT(posted_, IsEmpty());
    put(2);
    EXPECT_EQ(run(), 0);
    EXPECT_THAT(posted_, ElementsAre("1;2;3;"));
    EXPECT_EQ(within_, seconds(10));
    EXPECT_EQ(run(), 5);
    now_ += seconds(5);
    EXPECT_EQ(run(), 0);
    EXPECT_THAT(posted_, ElementsAre("1;2;3;", "4;"));
    now_ += seconds(5);
    run();
    EXPECT_EQ(posted_.size(), 2U) << "nothing waits: nothing is sent";
    EXPECT_EQ(value("trackops_traces_exported_total"), 4);
    EXPECT_EQ(value("trackops_traces_export_failures_total"), 0);
}

TEST_F(ExporterTest, RepeatsWhatTheCollectorCannotTakeNow) {
    answers({{.status = 503}, {.status = 0, .error = "refused"}, {.status = 502}});
    put(3);
    run();
    EXPECT_EQ(run(), 1);  // the backoff's first wait
    now_ += milliseconds(999);
    EXPECT_GT(run(), 0);
    EXPECT_EQ(posted_.size(), 1U);
    now_ += milliseconds(1);
    run();
    EXPECT_EQ(run(), 2);
    now_ += seconds(2);
    run();
    EXPECT_EQ(run(), 4);
    now_ += seconds(4);
    run();
    EXPECT_THAT(posted_, ElementsAre("1;2;3;", "1;2;3;", "1;2;3;", "1;2;3;"));
    EXPECT_EQ(value("trackops_traces_exported_total"), 3);
    EXPECT_EQ(value("trackops_traces_export_failures_total"), 3);
    EXPECT_EQ(dropped("unsent"), 0);
}

TEST_F(ExporterTest, WaitsAsLongAsTheCollectorAsks) {
    answers({{.status = 429, .retry_after = seconds(7)}});
    put(3);
    run();
    EXPECT_EQ(run(), 7);
}

TEST_F(ExporterTest, DropsABatchWhoseTimeIsOverAndStillGivesTheCollectorItsPause) {
    answers({{.status = 503, .retry_after = seconds(40)}});
    put(6);
    run();
    EXPECT_EQ(dropped("unsent"), 3);
    run();  // takes the next batch
    EXPECT_EQ(run(), 40);
    EXPECT_EQ(posted_.size(), 1U);
    now_ += seconds(40);
    run();
    EXPECT_THAT(posted_, ElementsAre("1;2;3;", "4;5;6;"));
}

TEST_F(ExporterTest, CountsWhatTheCollectorRefusesForGood) {
    answers(
        {{.status = 400, .body = "what is this"},
         {.status = 200, .body = R"({"partialSuccess":{"rejectedSpans":"2","errorMessage":"5"}})"},
         {.status = 500}});
    for (int i = 0; i < 3; ++i) {
        put(3);
        run();
    }
    EXPECT_EQ(posted_.size(), 3U) << "none is repeated";
    EXPECT_EQ(dropped("refused"), 3 + 2 + 3);
    EXPECT_EQ(value("trackops_traces_exported_total"), 1);
}

TEST_F(ExporterTest, SendsTheRestAtTheEndAndCountsWhatItCannotSend) {
    put(4);
    exporter_.drain(seconds(1));
    EXPECT_THAT(posted_, ElementsAre("1;2;3;", "4;"));
    EXPECT_EQ(within_, seconds(1)) << "a collector that stands still holds up no stop";
    answers({{.status = 0}, {.status = 0}});
    put(8);
    exporter_.drain(seconds(1));
    EXPECT_EQ(posted_.size(), 3U) << "a collector that is away is asked once";
    EXPECT_EQ(dropped("unsent"), 8);
    EXPECT_EQ(queue_.size(), 0U);
}

TEST_F(ExporterTest, HasTheSameMetricsForLogs) {
    log_meters(metrics_).exported.add(2);
    EXPECT_EQ(value("trackops_logs_exported_total"), 2);
    EXPECT_EQ(value("trackops_logs_dropped_total{reason=\"unsent\"}"), 0);
}

}  // namespace
}  // namespace trackops::otlp
