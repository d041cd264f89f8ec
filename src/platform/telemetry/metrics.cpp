#include "platform/telemetry/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "platform/telemetry/utf8.hpp"

namespace trackops::telemetry {
namespace {

constexpr auto buckets = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                          0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   5.0,  10.0};

class PrometheusCounter final : public Counter {
public:
    explicit PrometheusCounter(prometheus::Counter& counter) : counter_(counter) {}
    void add(double by) override {
        if (std::isfinite(by) && by > 0) counter_.Increment(by);
    }
    double value() const override { return counter_.Value(); }

private:
    prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
public:
    explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
    void set(double value) override { gauge_.Set(value); }
    double value() const override { return gauge_.Value(); }

private:
    prometheus::Gauge& gauge_;
};

class PrometheusHistogram final : public Histogram {
public:
    explicit PrometheusHistogram(prometheus::Histogram& histogram) : histogram_(histogram) {}
    void observe(double seconds) override {
        if (std::isfinite(seconds)) histogram_.Observe(std::max(seconds, 0.0));
    }

private:
    prometheus::Histogram& histogram_;
};

bool is_name(std::string_view text) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return !text.empty() && letter(text[0]) &&
           std::ranges::all_of(text, [&](char c) { return letter(c) || digit(c); });
}

void expect(bool truth, std::string_view what, std::string_view name) {
    if (!truth) throw std::logic_error(fmt::format("metric \"{}\": {}", name, what));
}

prometheus::Labels checked(const std::string& name, const Labels& labels) {
    expect(is_name(name), "a name is [a-zA-Z_][a-zA-Z0-9_]*", name);
    prometheus::Labels out;
    for (const auto& [label, value] : labels) {
        expect(is_name(label) && !label.starts_with("__"),
               "a label is [a-zA-Z_][a-zA-Z0-9_]*, without __ in front", name);
        expect(label != "le" && label != "quantile", "labels le and quantile are Prometheus' own",
               name);
        expect(out.emplace(label, valid_utf8(value)).second, "a label stands twice", name);
    }
    return out;
}

// prometheus-cpp 1.0 does not escape help text.
std::string escaped_help(const std::string& help) {
    std::string out;
    for (const char c : valid_utf8(help)) {
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\\') {
            out += "\\\\";
        } else {
            out += c;
        }
    }
    return out;
}

MetricKind kind_of(prometheus::MetricType type) {
    if (type == prometheus::MetricType::Counter) return MetricKind::counter;
    if (type == prometheus::MetricType::Histogram) return MetricKind::histogram;
    return MetricKind::gauge;
}

// The instruments of one kind, by name and labels.
template <class Handle>
class Handles {
public:
    // Returns the existing instrument, or the result of make(labels).
    template <class Make>
    Handle& at(const std::string& name, prometheus::Labels labels, Make make) {
        auto& series = by_name_[name];
        auto found = series.find(labels);
        if (found == series.end() && series.size() >= Registry::series_max) {
            for (auto& [label, value] : labels) value = "overflow";
            found = series.find(labels);
        }
        if (found == series.end()) found = series.emplace(labels, make(labels)).first;
        return *found->second;
    }

private:
    std::map<std::string, std::map<prometheus::Labels, std::unique_ptr<Handle>>> by_name_;
};

}  // namespace

struct Registry::State {
    // Runs the collectors and returns the values.
    std::vector<prometheus::MetricFamily> collect();

    std::mutex mutex;  // guards the handles and the collectors
    prometheus::Registry registry;
    Handles<Counter> counters;
    Handles<Gauge> gauges;
    Handles<Histogram> histograms;
    std::vector<std::function<void()>> collectors;
    std::mutex scraping;
};

Registry::Registry() : state_(std::make_unique<State>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(const std::string& name, const std::string& help, const Labels& labels) {
    expect(name.ends_with("_total"), "a counter ends in _total", name);
    auto checked_labels = checked(name, labels);
    const std::scoped_lock lock(state_->mutex);
    return state_->counters.at(name, std::move(checked_labels), [&](const prometheus::Labels& all) {
        auto& family = prometheus::BuildCounter()
                           .Name(name)
                           .Help(escaped_help(help))
                           .Register(state_->registry);
        return std::make_unique<PrometheusCounter>(family.Add(all));
    });
}

Gauge& Registry::gauge(const std::string& name, const std::string& help, const Labels& labels) {
    for (const std::string_view end : {"_total", "_bucket", "_count", "_sum"}) {
        expect(!name.ends_with(end), "a gauge does not end like a part of another kind", name);
    }
    auto checked_labels = checked(name, labels);
    const std::scoped_lock lock(state_->mutex);
    return state_->gauges.at(name, std::move(checked_labels), [&](const prometheus::Labels& all) {
        auto& family =
            prometheus::BuildGauge().Name(name).Help(escaped_help(help)).Register(state_->registry);
        return std::make_unique<PrometheusGauge>(family.Add(all));
    });
}

Histogram& Registry::histogram(const std::string& name, const std::string& help,
                               const Labels& labels) {
    expect(name.ends_with("_seconds"), "a histogram ends in _seconds", name);
    auto checked_labels = checked(name, labels);
    const std::scoped_lock lock(state_->mutex);
    return state_->histograms.at(
        name, std::move(checked_labels), [&](const prometheus::Labels& all) {
            auto& family = prometheus::BuildHistogram()
                               .Name(name)
                               .Help(escaped_help(help))
                               .Register(state_->registry);
            return std::make_unique<PrometheusHistogram>(
                family.Add(all, prometheus::Histogram::BucketBoundaries(buckets)));
        });
}

void Registry::on_scrape(std::function<void()> collect) {
    const std::scoped_lock lock(state_->mutex);
    state_->collectors.push_back(std::move(collect));
}

std::vector<prometheus::MetricFamily> Registry::State::collect() {
    const std::scoped_lock one_scrape(scraping);
    std::vector<std::function<void()>> all;
    {
        const std::scoped_lock lock(mutex);
        all = collectors;
    }
    // Outside of the lock, because a callback may look up instruments.
    for (const auto& one : all) one();
    return registry.Collect();
}

std::string Registry::prometheus_text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, state_->collect());
    return std::move(out).str();
}

std::vector<MetricFamily> Registry::families() const {
    std::vector<MetricFamily> families;
    for (const prometheus::MetricFamily& given : state_->collect()) {
        MetricFamily& family =
            families.emplace_back(MetricFamily{given.name, given.help, kind_of(given.type), {}});
        for (const prometheus::ClientMetric& metric : given.metric) {
            MetricFamily::Series& series = family.series.emplace_back();
            for (const auto& label : metric.label)
                series.labels.emplace_back(label.name, label.value);
            series.value =
                family.kind == MetricKind::counter ? metric.counter.value : metric.gauge.value;
            series.count = metric.histogram.sample_count;
            series.sum = metric.histogram.sample_sum;
        }
    }
    std::ranges::sort(families, {}, &MetricFamily::name);
    return families;
}

}  // namespace trackops::telemetry
