#include "platform/telemetry/metrics.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
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

#include "platform/telemetry/openmetrics.hpp"
#include "platform/telemetry/utf8.hpp"

namespace trackops::telemetry {
namespace {

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
    PrometheusHistogram(prometheus::Histogram& histogram, std::vector<double> bounds)
        : histogram_(histogram), bounds_(std::move(bounds)), exemplars_(bounds_.size() + 1) {}
    void observe(double seconds) override {
        if (std::isfinite(seconds)) histogram_.Observe(std::max(seconds, 0.0));
    }
    void observe(double seconds, std::string_view trace_id) override {
        observe(seconds);
        if (!std::isfinite(seconds) || trace_id.empty() || trace_id.size() > trace_id_bytes_max)
            return;
        const double value = std::max(seconds, 0.0);
        const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
        const std::chrono::duration<double> now =
            std::chrono::system_clock::now().time_since_epoch();
        const std::scoped_lock lock(mutex_);
        std::optional<Exemplar>& newest = exemplars_[static_cast<std::size_t>(bucket)];
        if (!newest) newest.emplace();
        newest->trace_id = trace_id;  // reuses the memory
        newest->value = value;
        newest->timestamp = now.count();
    }
    std::optional<Exemplar> exemplar(std::size_t bucket) const {
        const std::scoped_lock lock(mutex_);
        return bucket < exemplars_.size() ? exemplars_[bucket] : std::nullopt;
    }

private:
    prometheus::Histogram& histogram_;
    const std::vector<double> bounds_;
    mutable std::mutex mutex_;
    std::vector<std::optional<Exemplar>> exemplars_;  // the newest of each bucket
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

std::string unescaped_help(const std::string& help) {
    std::string out;
    for (std::size_t i = 0; i < help.size(); ++i) {
        if (help[i] == '\\' && i + 1 < help.size()) {
            ++i;
            out += help[i] == 'n' ? '\n' : help[i];
        } else {
            out += help[i];
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

    // Returns the existing instrument, or null.
    const Handle* find(const std::string& name, const prometheus::Labels& labels) const {
        const auto series = by_name_.find(name);
        if (series == by_name_.end()) return nullptr;
        const auto found = series->second.find(labels);
        return found == series->second.end() ? nullptr : found->second.get();
    }

private:
    std::map<std::string, std::map<prometheus::Labels, std::unique_ptr<Handle>>> by_name_;
};

}  // namespace

struct Registry::State {
    // Runs the collectors and returns the values.
    std::vector<prometheus::MetricFamily> collect();
    void add_buckets(const std::string& name, const prometheus::ClientMetric& metric,
                     MetricFamily::Series& series);

    std::mutex mutex;  // guards the handles and the collectors
    prometheus::Registry registry;
    Handles<Counter> counters;
    Handles<Gauge> gauges;
    Handles<PrometheusHistogram> histograms;
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
                               const Labels& labels, std::span<const double> buckets) {
    expect(name.ends_with("_seconds"), "a histogram ends in _seconds", name);
    auto checked_labels = checked(name, labels);
    const std::scoped_lock lock(state_->mutex);
    return state_->histograms.at(
        name, std::move(checked_labels), [&](const prometheus::Labels& all) {
            auto& family = prometheus::BuildHistogram()
                               .Name(name)
                               .Help(escaped_help(help))
                               .Register(state_->registry);
            const std::vector<double> bounds(buckets.begin(), buckets.end());
            return std::make_unique<PrometheusHistogram>(family.Add(all, bounds), bounds);
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

std::string Registry::openmetrics_text() const { return telemetry::openmetrics_text(families()); }

void Registry::State::add_buckets(const std::string& name, const prometheus::ClientMetric& metric,
                                  MetricFamily::Series& series) {
    prometheus::Labels labels;
    for (const auto& label : metric.label) labels.emplace(label.name, label.value);
    const std::scoped_lock lock(mutex);
    const PrometheusHistogram* const histogram = histograms.find(name, labels);
    for (const auto& bucket : metric.histogram.bucket) {
        const std::size_t index = series.buckets.size();
        series.buckets.push_back({bucket.upper_bound, bucket.cumulative_count,
                                  histogram ? histogram->exemplar(index) : std::nullopt});
    }
}

std::vector<MetricFamily> Registry::families() const {
    std::vector<MetricFamily> families;
    for (const prometheus::MetricFamily& given : state_->collect()) {
        MetricFamily& family = families.emplace_back(
            MetricFamily{given.name, unescaped_help(given.help), kind_of(given.type), {}});
        for (const prometheus::ClientMetric& metric : given.metric) {
            MetricFamily::Series& series = family.series.emplace_back();
            for (const auto& label : metric.label)
                series.labels.emplace_back(label.name, label.value);
            series.value =
                family.kind == MetricKind::counter ? metric.counter.value : metric.gauge.value;
            series.count = metric.histogram.sample_count;
            series.sum = metric.histogram.sample_sum;
            if (family.kind == MetricKind::histogram)
                state_->add_buckets(given.name, metric, series);
        }
    }
    std::ranges::sort(families, {}, &MetricFamily::name);
    return families;
}

}  // namespace trackops::telemetry
