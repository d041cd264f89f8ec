#include "load/progress.hpp"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

#include <fmt/format.h>

namespace trackops::load {

namespace {

bool is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

std::string bar(double share) {
    constexpr int width = 24;
    const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * width);
    return fmt::format("[{:<{}}] {:3.0f}%  ", std::string(filled, '='), width, share * 100);
}

}  // namespace

std::string progress_line(const LoadReport& so_far, double share) {
    const auto head = share < 0 ? std::string() : bar(share);
    if (so_far.items.asked > 0) return fmt::format("{}{} items loaded", head, so_far.items.done);
    std::int64_t cancelled = 0;
    for (const auto& [reason, count] : so_far.cancelled) cancelled += count;
    return fmt::format("{}{} accepted ({:.0f}/s), {} confirmed, {} cancelled, {} pending", head,
                       so_far.orders.done, so_far.orders_per_second(), so_far.confirmed, cancelled,
                       so_far.pending);
}

ProgressOptions progress_on_stderr() {
    if (!is_terminal())
        return {[](const LoadReport& so_far, double share) {
                    fmt::print(stderr, "{}\n", progress_line(so_far, share));
                },
                std::chrono::seconds(5)};
    return {[](const LoadReport& so_far, double share) {
                fmt::print(stderr, "\r{}\x1b[K", progress_line(so_far, share));
                std::fflush(stderr);
            },
            std::chrono::milliseconds(200)};
}

void end_progress_on_stderr() {
    if (is_terminal()) fmt::print(stderr, "\r\x1b[K");
}

}  // namespace trackops::load
