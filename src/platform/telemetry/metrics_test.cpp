#include "platform/telemetry/metrics.hpp"

#include <limits>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trackops::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, AreWrittenAsPrometheusReadsThem) {
    Registry registry;
    registry.counter("trackops_orders_total", "Orders taken.", {{"outcome", "placed"}}).add(3);
    registry.gauge("trackops_queue_commands", "Waiting.").set(-1.5);
    registry.histogram("trackops_write_seconds", "Time to commit.").observe(0.0002);
    const std::string text = registry.prometheus_text();
    EXPECT_THAT(
        text,
        HasSubstr(
            "# HELP trackops_orders_total Orders taken.\n# TYPE trackops_orders_total counter\n"
            "trackops_orders_total{outcome=\"placed\"} 3\n"));
    EXPECT_THAT(text,
                HasSubstr("# TYPE trackops_queue_commands gauge\ntrackops_queue_commands -1.5\n"));
    EXPECT_THAT(
        text,
        HasSubstr(
            "# TYPE trackops_write_seconds histogram\ntrackops_write_seconds_count 1\n"
            "trackops_write_seconds_sum 0.0002\ntrackops_write_seconds_bucket{le=\"0.0001\"} 0\n"
            "trackops_write_seconds_bucket{le=\"0.00025\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("trackops_write_seconds_bucket{le=\"10\"} "
                                "1\ntrackops_write_seconds_bucket{le=\"+Inf\"} 1\n"));
}

TEST(Metrics, GiveTheSameObjectForTheSameLabelsInAnyOrder) {
    Registry registry;
    Counter& first = registry.counter("trackops_x_total", "X.", {{"a", "1"}, {"b", "2"}});
    EXPECT_EQ(&registry.counter("trackops_x_total", "Other help.", {{"b", "2"}, {"a", "1"}}),
              &first);
    EXPECT_NE(&registry.counter("trackops_x_total", "X.", {{"a", "2"}, {"b", "1"}}), &first);
    EXPECT_EQ(&registry.gauge("trackops_x", "X."), &registry.gauge("trackops_x", "X."));
    EXPECT_EQ(&registry.histogram("trackops_x_seconds", "X."),
              &registry.histogram("trackops_x_seconds", "X."));
}

TEST(Metrics, RefuseNamesThatPrometheusWouldNotTake) {
    Registry registry;
    for (const auto* name :
         {"", "1_total", "a-b_total", "a b_total", "a:b_total", "é_total", "trackops_x"}) {
        EXPECT_THROW(registry.counter(name, "X."), std::logic_error) << name;
    }
    for (const auto* name : {"x_total", "x_bucket", "x_count", "x_sum", "x y"}) {
        EXPECT_THROW(registry.gauge(name, "X."), std::logic_error) << name;
    }
    EXPECT_THROW(registry.histogram("x_ms", "X."), std::logic_error);
    for (const auto* label : {"", "le", "quantile", "__x", "a-b", "1a"}) {
        EXPECT_THROW(registry.counter("x_total", "X.", {{label, "v"}}), std::logic_error) << label;
    }
    EXPECT_THROW(registry.counter("x_total", "X.", {{"a", "1"}, {"a", "1"}}), std::logic_error);
    EXPECT_EQ(registry.prometheus_text(), "");
}

TEST(Metrics, OfOneNameAreOfOneKind) {
    Registry registry;
    registry.gauge("trackops_x_seconds", "X.");
    EXPECT_THROW(registry.histogram("trackops_x_seconds", "X."), std::logic_error);
    // A name keeps its kind.
    EXPECT_THROW(registry.histogram("trackops_x_seconds", "X."), std::logic_error);
}

TEST(Metrics, EscapeWhatComesFromOutside) {
    Registry registry;
    registry.counter("trackops_x_total", "Two\nlines \\ one.", {{"v", "a\"b\\c\nd\xFF"}}).add();
    EXPECT_EQ(registry.prometheus_text(),
              "# HELP trackops_x_total Two\\nlines \\\\ one.\n# TYPE trackops_x_total counter\n"
              "trackops_x_total{v=\"a\\\"b\\\\c\\nd\uFFFD\"} 1\n");
}

TEST(Metrics, AreNotSpoiltByWhatIsNoNumber) {
    Registry registry;
    Counter& counter = registry.counter("trackops_x_total", "X.");
    Histogram& histogram = registry.histogram("trackops_x_seconds", "X.");
    for (const double bad :
         {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        counter.add(bad);
        histogram.observe(bad);
    }
    counter.add(-1);
    histogram.observe(-1);
    EXPECT_EQ(counter.value(), 0);
    EXPECT_THAT(registry.prometheus_text(),
                HasSubstr("trackops_x_seconds_count 1\ntrackops_x_seconds_sum 0\n"));
}

TEST(Metrics, OfOneNameAreBounded) {
    Registry registry;
    for (std::size_t i = 0; i < Registry::series_max; ++i)
        registry.counter("trackops_x_total", "X.", {{"v", std::to_string(i)}});
    Counter& over = registry.counter("trackops_x_total", "X.", {{"v", "one more"}});
    EXPECT_EQ(&registry.counter("trackops_x_total", "X.", {{"v", "two more"}}), &over);
    EXPECT_NE(&registry.counter("trackops_x_total", "X.", {{"v", "7"}}), &over);
    EXPECT_THAT(registry.prometheus_text(), HasSubstr("trackops_x_total{v=\"overflow\"} 0\n"));
    EXPECT_THAT(registry.prometheus_text(), Not(HasSubstr("more")));
}

TEST(Metrics, AreCollectedAtEachScrape) {
    Registry registry;
    int scrapes = 0;
    registry.on_scrape([&] { registry.gauge("trackops_scrapes", "X.").set(++scrapes); });
    registry.on_scrape([&] { registry.gauge("trackops_scrapes_twice", "X.").set(2 * scrapes); });
    EXPECT_THAT(registry.prometheus_text(), HasSubstr("trackops_scrapes 1\n"));
    EXPECT_THAT(registry.prometheus_text(), HasSubstr("trackops_scrapes_twice 4\n"));
}

TEST(Metrics, MayBeUsedByManyThreadsAtOnce) {
    Registry registry;
    int scrapes = 0;
    registry.on_scrape([&] { ++scrapes; });  // Not atomic: scrapes run one at a time.
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&registry, t] {
                for (int i = 0; i < 200; ++i) {
                    registry.counter("trackops_x_total", "X.", {{"i", std::to_string(i % 10)}})
                        .add();
                    registry.histogram("trackops_x_seconds", "X.").observe(0.001 * t);
                    if (i % 50 == 0) registry.prometheus_text();
                }
            });
        }
    }
    double sum = 0;
    for (int i = 0; i < 10; ++i)
        sum += registry.counter("trackops_x_total", "X.", {{"i", std::to_string(i)}}).value();
    EXPECT_EQ(sum, 800);
    EXPECT_EQ(scrapes, 16);
}

}  // namespace
}  // namespace trackops::telemetry
