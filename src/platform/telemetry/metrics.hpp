// Counters, gauges and histograms, scraped as Prometheus text.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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
    // The same, and keeps the observation as the exemplar of its bucket: a trace that is an example
    // of it. `trace_id` has at most trace_id_bytes_max bytes; an empty or longer one is dropped.
    virtual void observe(double seconds, std::string_view trace_id) = 0;
    static constexpr std::size_t trace_id_bytes_max = 64;
};

// The upper bounds of the buckets of a histogram, in seconds.
inline constexpr std::array request_buckets{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                            0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                            1.0,    2.5,     5.0,    10.0};
// For what may wait for another service: up to the deadline of a reservation.
inline constexpr std::array process_buckets{0.005, 0.01, 0.025, 0.05, 0.1,  0.25,  0.5,   1.0,
                                            2.5,   5.0,  10.0,  30.0, 60.0, 300.0, 900.0, 3600.0};

enum class MetricKind : std::uint8_t { counter, gauge, histogram };

struct Exemplar {
    std::string trace_id;
    double value = 0;      // what was observed
    double timestamp = 0;  // the time of the observation, in seconds since 1970
};

// The present values of all series of one name.
struct MetricFamily {
    struct Bucket {
        double upper_bound = 0;   // infinity in the last bucket
        std::uint64_t count = 0;  // observations up to the bound
        std::optional<Exemplar> exemplar = {};
    };
    struct Series {
        Labels labels;
        double value = 0;                  // of a counter or a gauge
        std::uint64_t count = 0;           // observations of a histogram
        double sum = 0;                    // of what a histogram has observed
        std::vector<Bucket> buckets = {};  // of a histogram
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
    // replaced. `buckets` rise; those of a later call with the same name and labels are ignored.
    Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
    Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
    Histogram& histogram(const std::string& name, const std::string& help,
                         const Labels& labels = {},
                         std::span<const double> buckets = request_buckets);
    // Registers a callback that runs before the values of a scrape are read, to set gauges that are
    // only worth computing then. A scrape runs on the I/O thread of the HTTP server, so the
    // callback works in memory only: it asks no server and reads no file. Scrapes run one at a
    // time. The callback may use the registry but must not scrape it, and must not throw.
    void on_scrape(std::function<void()> collect);
    std::string prometheus_text() const;  // in the format text/plain; version=0.0.4
    // In the format application/openmetrics-text; version=1.0.0, with the exemplars.
    std::string openmetrics_text() const;
    std::vector<MetricFamily> families() const;  // in the order of their names

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::telemetry
