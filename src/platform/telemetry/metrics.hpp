// Counters, gauges and histograms, scraped as Prometheus text.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace trackops::telemetry {

using Labels = std::vector<std::pair<std::string, std::string>>;

// The registry owns the instruments; they live as long as it does and are thread-safe. Keep the
// reference, because every lookup takes a lock.
class Counter {
public:
    virtual ~Counter() = default;
    virtual void add(double by = 1) = 0;  // Only a finite number above zero changes the counter.
    virtual double value() const = 0;
};
class Gauge {
public:
    virtual ~Gauge() = default;
    virtual void set(double value) = 0;
    virtual double value() const = 0;
};
class Histogram {
public:
    virtual ~Histogram() = default;
    // A negative value (a clock stepped back) counts as zero. NaN and infinity are ignored.
    virtual void observe(double seconds) = 0;
};

enum class MetricKind : std::uint8_t { counter, gauge, histogram };

// The present values of all series of one name.
struct MetricFamily {
    struct Series {
        Labels labels;
        double value = 0;         // of a counter or a gauge
        std::uint64_t count = 0;  // observations of a histogram
        double sum = 0;           // of what a histogram has observed
    };
    std::string name;
    std::string help;
    MetricKind kind = MetricKind::gauge;
    std::vector<Series> series;
};

class Registry {
public:
    // The maximum number of series per metric name. Further label sets share one series whose label
    // values all are "overflow".
    static constexpr std::size_t series_max = 1000;

    Registry();
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;
    // Return the instrument with this name and these labels, in any order; the first call creates
    // it and determines `help`. Names use base units and Prometheus suffixes: counters end in
    // _total, histograms in _seconds, gauges in none of _total, _bucket, _count, _sum. Throw
    // std::logic_error for a name that breaks these rules, a bad or repeated label name, or a name
    // that already belongs to another kind. Label values may be any bytes; invalid UTF-8 is
    // replaced. The buckets of a histogram reach from 100 us to 10 s.
    Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
    Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
    Histogram& histogram(const std::string& name, const std::string& help,
                         const Labels& labels = {});
    // Registers a callback that runs before the values of a scrape are read, to set gauges that are
    // only worth computing then. A scrape runs on the I/O thread of the HTTP server, so the
    // callback works in memory only: it asks no server and reads no file. Scrapes run one at a
    // time. The callback may use the registry but must not scrape it, and must not throw.
    void on_scrape(std::function<void()> collect);
    std::string prometheus_text() const;         // in the format text/plain; version=0.0.4
    std::vector<MetricFamily> families() const;  // in the order of their names

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::telemetry
