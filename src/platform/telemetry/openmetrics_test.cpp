#include "platform/telemetry/openmetrics.hpp"

#include <array>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trackops::telemetry {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(OpenMetrics, IsWrittenAsItsSpecificationSays) {
    Registry registry;
    registry.counter("trackops_b_seconds_total", "Time \"used\"\nup.", {{"a", "x\"\\\n"}}).add(3);
    registry.gauge("trackops_a", "A.").set(-1.5);
    registry.gauge("trackops_c_bytes", "C.").set(std::numeric_limits<double>::infinity());
    EXPECT_EQ(registry.openmetrics_text(),
              "# TYPE trackops_a gauge\n"
              "# HELP trackops_a A.\n"
              "trackops_a -1.5\n"
              "# TYPE trackops_b_seconds counter\n"
              "# UNIT trackops_b_seconds seconds\n"
              "# HELP trackops_b_seconds Time \\\"used\\\"\\nup.\n"
              "trackops_b_seconds_total{a=\"x\\\"\\\\\\n\"} 3.0\n"
              "# TYPE trackops_c_bytes gauge\n"
              "# UNIT trackops_c_bytes bytes\n"
              "# HELP trackops_c_bytes C.\n"
              "trackops_c_bytes +Inf\n"
              "# EOF\n");
}

TEST(OpenMetrics, ShowsTheNewestTraceOfEachBucketAsItsExemplar) {
    Registry registry;
    constexpr std::array buckets{1.0, 2.5};
    Histogram& histogram = registry.histogram("x_seconds", "X.", {{"uri", "/"}}, buckets);
    histogram.observe(0.5, "first");
    histogram.observe(0.6, "second");
    histogram.observe(0.7);
    histogram.observe(1.0, std::string(Histogram::trace_id_bytes_max + 1, 'a'));
    histogram.observe(2.5, "edge");
    histogram.observe(7, "");
    const std::string text = registry.openmetrics_text();
    EXPECT_THAT(text, ContainsRegex("x_seconds_bucket\\{uri=\"/\",le=\"1.0\"\\} 4 # "
                                    "\\{trace_id=\"second\"\\} 0.6 [0-9]{10}\\.[0-9]{3}\n"));
    EXPECT_THAT(text, ContainsRegex("le=\"2.5\"\\} 5 # \\{trace_id=\"edge\"\\} 2.5 [0-9.]+\n"));
    EXPECT_THAT(text, HasSubstr("le=\"+Inf\"} 6\nx_seconds_count{uri=\"/\"} 6\n"));
    EXPECT_THAT(registry.prometheus_text(), Not(HasSubstr("trace_id")));
}

TEST(OpenMetrics, OfNothingIsItsEnd) { EXPECT_EQ(Registry().openmetrics_text(), "# EOF\n"); }

}  // namespace
}  // namespace trackops::telemetry
