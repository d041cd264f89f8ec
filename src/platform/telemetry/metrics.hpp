// Counters, gauges and histograms, scraped as Prometheus text.
#pragma once
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trackops::telemetry {

using Labels = std::vector<std::pair<std::string, std::string>>;

// Handles are owned by the registry, live as long as it does, and are thread-safe. Keep the reference: looking one up takes a lock.
class Counter {
public:
    virtual ~Counter() = default;
    virtual void add(double by = 1) = 0;
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
    virtual void observe(double seconds) = 0;
};

class Registry {
public:
    Registry();
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;
    // The same name and labels give the same object. Names follow Prometheus: trackops_..._total, ..._seconds, base units.
    Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
    Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
    Histogram& histogram(const std::string& name, const std::string& help, const Labels& labels = {});  // buckets 100 us .. 10 s
    // Called at each scrape, before the text is made, to set gauges that are only worth asking then. Must not throw.
    void on_scrape(std::function<void()> collect);
    std::string prometheus_text() const;  // text/plain; version=0.0.4

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::telemetry
