#include "platform/http/access_log.hpp"

#include <chrono>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/hex.hpp"
#include "platform/telemetry/log.hpp"

namespace trackops::http {

void AccessLog::observe(const Conversation::Access& access) {
    using telemetry::Level;
    const bool is_refusal = !access.problem_code.empty();
    if (!telemetry::is_logged(is_refusal ? Level::info : Level::debug)) return;
    std::uint64_t held_back = 0;
    Level level = Level::debug;
    if (is_refusal) {
        const auto admitted = gate_.admit(access.problem_code, Conversation::Time::clock::now());
        if (admitted) level = Level::info;
        held_back = admitted.value_or(0);
        if (!telemetry::is_logged(level)) return;
    }
    const auto took = std::chrono::duration<double, std::milli>(access.took).count();
    telemetry::log(level, "http.access", is_refusal ? "refused a request" : "answered a request",
                   {{"method", std::string(access.method)},
                    {"route", std::string(access.route ? access.route->pattern : "UNKNOWN")},
                    {"status", std::to_string(access.status)},
                    {"code", std::string(access.problem_code)},
                    {"took_ms", fmt::format("{:.3f}", took)},
                    {"lines_held_back", std::to_string(held_back)},
                    {"trace_id", hex(access.span.trace_id)},
                    {"span_id", hex(access.span.span_id)}});
}

void AccessLog::sweep(Conversation::Time now) {
    for (const auto& [code, lines] : gate_.take_held_back(now)) {
        telemetry::log(telemetry::Level::info, "http.access", "refused more requests",
                       {{"code", code}, {"lines_held_back", std::to_string(lines)}});
    }
}

}  // namespace trackops::http
