// Counters, gauges and histograms, scraped as Prometheus text.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace trackops::telemetry {

using Labels = std::vector<std::pair<std::string, std::string>>;

// Handles are owned by the registry, live as long as it does, and are thread-safe. Keep the
// reference: looking one up takes a lock.
class Counter {
public:
    virtual ~Counter() = default;
    virtual void add(double by = 1) = 0;  // a counter only grows: what is not a finite number above
                                          // zero changes nothing
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
    virtual void observe(double seconds) = 0;  // below zero (a clock stepped back) counts as zero;
                                               // not a finite number, not at all
};

class Registry {
public:
    // Series a name can have. Labels beyond that share one series whose label values all read
    // "overflow".
    static constexpr std::size_t series_max = 1000;

    Registry();
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;
    // The same name and labels, in whatever order, give the same object; help is the first one
    // given. Names are in base units and end as Prometheus has it: counters in _total, histograms
    // in _seconds, gauges in neither of _total, _bucket, _count, _sum. std::logic_error for a name
    // that does not, a bad or repeated label name, or a name that is another kind already. Label
    // values may be anything: what is not UTF-8 is replaced.
    Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
    Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
    Histogram& histogram(const std::string& name, const std::string& help,
                         const Labels& labels = {});  // buckets 100 us .. 10 s
    // Called at each scrape, one scrape at a time, before the text is made, to set gauges that are
    // only worth asking then. May use the registry, but not scrape it. Must not throw.
    void on_scrape(std::function<void()> collect);
    std::string prometheus_text() const;  // text/plain; version=0.0.4

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::telemetry
