#include "platform/http/actuator_pumps.hpp"

#include <chrono>
#include <string>

#include "platform/http/actuator_metrics.hpp"
#include "platform/json/writer.hpp"
#include "platform/telemetry/utf8.hpp"

namespace trackops::http {
namespace {

double milliseconds(Duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

Response all_pumps(const Request& request, std::span<const runtime::PumpState> pumps) {
    std::string body;
    json::Writer writer(body);
    writer.begin_object().name("pumps").begin_array();
    for (const runtime::PumpState& pump : pumps) {
        writer.begin_object().member("name", pump.name);
        writer.member("state", pump.is_running ? "RUNNING" : "WAITING");
        writer.member("runs", pump.runs).member("done", pump.done);
        writer.member("failures", pump.failures);
        if (!pump.last_error.empty())
            writer.member("lastError", telemetry::valid_utf8(pump.last_error));
        writer.name("lastStartMsAgo").decimal(milliseconds(pump.since_last_start));
        writer.name("lastTookMs").decimal(milliseconds(pump.last_took));
        writer.name("nextInMs").decimal(milliseconds(pump.next_in)).end_object();
    }
    writer.end_array().end_object();
    return {.content_type = std::string(actuator_type(request)), .body = std::move(body)};
}

}  // namespace trackops::http
