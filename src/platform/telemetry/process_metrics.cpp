#include "platform/telemetry/process_metrics.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/build.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::telemetry {
namespace {

// The fields of /proc/self/stat behind the name of the program, which may hold spaces. Field 3 of
// proc(5) is the first one.
std::vector<std::string> stat_fields() {
    std::ifstream file("/proc/self/stat");
    const std::string line{std::istreambuf_iterator<char>(file), {}};
    const auto name_end = line.rfind(')');
    if (name_end == std::string::npos) return {};
    std::istringstream rest(line.substr(name_end + 1));
    return {std::istream_iterator<std::string>(rest), {}};
}

// Returns a field by its number in proc(5), or nothing.
std::optional<double> field(const std::vector<std::string>& fields, std::size_t number) {
    const std::size_t at = number - 3;
    if (at >= fields.size()) return std::nullopt;
    return std::stod(fields[at]);
}

constexpr std::size_t user_ticks = 14;
constexpr std::size_t system_ticks = 15;
constexpr std::size_t thread_count = 20;
constexpr std::size_t start_ticks = 22;  // since the machine's boot
constexpr std::size_t virtual_bytes = 23;
constexpr std::size_t resident_pages = 24;

// Returns the time of the machine's boot in seconds since 1970, or nothing.
std::optional<double> boot_time() {
    std::ifstream file("/proc/stat");
    for (std::string word; file >> word;) {
        double seconds = 0;
        if (word == "btime" && file >> seconds) return seconds;
    }
    return std::nullopt;
}

struct MachineTicks {
    double all = 0;
    double idle = 0;
};

// Returns the ticks of all CPUs since the machine's boot; zeros when they cannot be read.
MachineTicks machine_ticks() {
    constexpr int columns = 8;  // user to steal; those of guests are part of user
    constexpr int idle = 3;
    constexpr int waits_for_disk = 4;
    std::ifstream file("/proc/stat");
    std::string word;
    file >> word;
    MachineTicks ticks;
    for (int i = 0; i < columns; ++i) {
        double value = 0;
        if (!(file >> value)) return {};
        ticks.all += value;
        if (i == idle || i == waits_for_disk) ticks.idle += value;
    }
    return ticks;
}

std::size_t count_open_fds() {
    std::error_code failed;
    std::filesystem::directory_iterator entries("/proc/self/fd", failed);
    if (failed) return 0;
    const auto count = std::distance(begin(entries), end(entries));
    return count > 0 ? static_cast<std::size_t>(count) - 1 : 0;  // one reads the folder itself
}

}  // namespace

ProcessMetrics::ProcessMetrics(Registry& metrics)
    : cpu_seconds_(metrics.counter("process_cpu_seconds_total", "CPU time of the process.")),
      resident_bytes_(
          metrics.gauge("process_resident_memory_bytes", "Memory that is in the machine's RAM.")),
      virtual_bytes_(
          metrics.gauge("process_virtual_memory_bytes", "Address space of the process.")),
      open_fds_(metrics.gauge("process_open_fds", "Open file descriptors.")),
      max_fds_(metrics.gauge("process_max_fds", "The most file descriptors that may be open.")),
      threads_(metrics.gauge("process_threads", "Threads of the process.")),
      uptime_(metrics.gauge("process_uptime_seconds", "Time since the start of the process.")),
      cpu_usage_(metrics.gauge("process_cpu_usage",
                               "CPU time of the process in the last second, of all CPUs: 0 to 1.")),
      machine_cpu_usage_(metrics.gauge(
          "system_cpu_usage", "CPU time of the machine in the last second, of all CPUs: 0 to 1.")),
      cpus_(metrics.gauge("system_cpus", "CPUs that the process may use.")) {
    metrics
        .gauge("trackops_build_info", "1; the labels tell what was built.",
               {{"version", std::string(version)},
                {"compiler", std::string(compiler)},
                {"commit", std::string(commit())}})
        .set(1);
    const auto ticks = field(stat_fields(), start_ticks);
    const auto boot = boot_time();
    if (ticks && boot) {
        metrics.gauge("process_start_time_seconds", "Start of the process in seconds since 1970.")
            .set(*boot + *ticks / static_cast<double>(::sysconf(_SC_CLK_TCK)));
    }
    sample();
}

void ProcessMetrics::sample() {
    const auto fields = stat_fields();
    const auto user = field(fields, user_ticks);
    const auto system = field(fields, system_ticks);
    if (user && system) {
        const double seconds = (*user + *system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
        cpu_seconds_.add(seconds - cpu_seconds_.value());
        sample_cpu_usage(*user + *system);
    }
    uptime_.set(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - constructed_).count());
    cpus_.set(std::thread::hardware_concurrency());
    if (const auto pages = field(fields, resident_pages))
        resident_bytes_.set(*pages * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    if (const auto bytes = field(fields, virtual_bytes)) virtual_bytes_.set(*bytes);
    if (const auto count = field(fields, thread_count)) threads_.set(*count);
    if (const std::size_t open = count_open_fds(); open > 0)
        open_fds_.set(static_cast<double>(open));
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) max_fds_.set(static_cast<double>(limit.rlim_cur));
}

void ProcessMetrics::sample_cpu_usage(double process_ticks) {
    const MachineTicks machine = machine_ticks();
    const CpuTimes now{process_ticks, machine.all, machine.idle};
    const CpuTimes before = std::exchange(cpu_times_, now);
    const double passed = now.machine - before.machine;
    if (before.machine <= 0 || passed <= 0) return;
    cpu_usage_.set(std::clamp((now.process - before.process) / passed, 0.0, 1.0));
    const double idle = now.machine_idle - before.machine_idle;
    machine_cpu_usage_.set(std::clamp(1 - idle / passed, 0.0, 1.0));
}

}  // namespace trackops::telemetry
