// The metrics of the process, with the names of Prometheus' own client libraries.
#pragma once

namespace trackops::telemetry {

class Counter;
class Gauge;
class Registry;

// Sampled from /proc and getrlimit(). Not thread-safe.
class ProcessMetrics {
public:
    // Registers the metrics, and trackops_build_info. `metrics` outlives this object.
    explicit ProcessMetrics(Registry& metrics);
    // Reads the present values. A value that cannot be read keeps its last one.
    void sample();

private:
    Counter& cpu_seconds_;
    Gauge& resident_bytes_;
    Gauge& virtual_bytes_;
    Gauge& open_fds_;
    Gauge& max_fds_;
    Gauge& threads_;
};

}  // namespace trackops::telemetry
