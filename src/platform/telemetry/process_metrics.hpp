// The metrics of the process, with the names of Prometheus' own client libraries.
#pragma once
#include <chrono>

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
    // The CPU time that had passed at a moment, in ticks of the clock.
    struct CpuTimes {
        double process = 0;
        double machine = 0;  // of all CPUs together, idle time included
        double machine_idle = 0;
    };
    void sample_cpu_usage(double process_ticks);

    Counter& cpu_seconds_;
    Gauge& resident_bytes_;
    Gauge& virtual_bytes_;
    Gauge& open_fds_;
    Gauge& max_fds_;
    Gauge& threads_;
    Gauge& uptime_;
    Gauge& cpu_usage_;
    Gauge& machine_cpu_usage_;
    Gauge& cpus_;
    const std::chrono::steady_clock::time_point constructed_ = std::chrono::steady_clock::now();
    CpuTimes cpu_times_;  // at the last sample
};

}  // namespace trackops::telemetry
