#include "platform/telemetry/process_metrics.hpp"

#include <atomic>
#include <chrono>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "platform/telemetry/metrics.hpp"

namespace trackops::telemetry {
namespace {

TEST(ProcessMetrics, TellOfThisProcess) {
    Registry registry;
    ProcessMetrics process(registry);
    const auto gauge = [&](const std::string& name) { return registry.gauge(name, "").value(); };
    const double open = gauge("process_open_fds");
    EXPECT_GE(open, 3);
    const int more = ::open("/dev/null", O_RDONLY);
    std::vector<char> memory(32 << 20, 'x');
    const auto began = std::chrono::steady_clock::now();
    std::atomic<int> work = 0;
    while (std::chrono::steady_clock::now() - began < std::chrono::milliseconds(100)) ++work;
    process.sample();
    EXPECT_EQ(gauge("process_open_fds"), open + 1);
    ::close(more);
    EXPECT_GE(gauge("process_max_fds"), open);
    EXPECT_GE(gauge("process_threads"), 1);
    const double resident = gauge("process_resident_memory_bytes");
    EXPECT_GE(resident, 32 << 20);
    EXPECT_GE(gauge("process_virtual_memory_bytes"), resident);
    EXPECT_GE(registry.counter("process_cpu_seconds_total", "").value(), 0.02);
    const auto now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    EXPECT_LE(gauge("process_start_time_seconds"), now);
    EXPECT_GE(gauge("process_start_time_seconds"), now - 3600);
    EXPECT_NE(registry.prometheus_text().find("trackops_build_info{"), std::string::npos);
    EXPECT_GE(gauge("process_uptime_seconds"), 0.1);
    EXPECT_GE(gauge("system_cpus"), 1);
    EXPECT_GT(gauge("process_cpu_usage"), 0);  // the loop above
    EXPECT_GE(gauge("system_cpu_usage"), gauge("process_cpu_usage") - 0.5);
    EXPECT_LE(gauge("system_cpu_usage"), 1);
}

}  // namespace
}  // namespace trackops::telemetry
