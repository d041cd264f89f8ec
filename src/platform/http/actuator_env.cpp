#include "platform/http/actuator_env.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "platform/http/actuator_metrics.hpp"
#include "platform/http/problem.hpp"
#include "platform/json/writer.hpp"

namespace trackops::http {
namespace {

// In the order of precedence.
constexpr auto sources =
    std::to_array<std::string_view>({"flag", "environment", "file", "default", "process"});

std::vector<ShownSetting> with_process(std::span<const ShownSetting> settings) {
    std::vector<ShownSetting> all(settings.begin(), settings.end());
    all.push_back({"PID", std::to_string(::getpid()), "process"});
    return all;
}

}  // namespace

Response all_settings(const Request& request, std::span<const ShownSetting> settings) {
    const auto all = with_process(settings);
    std::string body;
    json::Writer writer(body);
    writer.begin_object().name("activeProfiles").begin_array().end_array();
    writer.name("propertySources").begin_array();
    for (const std::string_view source : sources) {
        writer.begin_object().member("name", source).name("properties").begin_object();
        for (const ShownSetting& setting : all) {
            if (setting.source != source) continue;
            writer.name(setting.name).begin_object().member("value", setting.value).end_object();
        }
        writer.end_object().end_object();
    }
    writer.end_array().end_object();
    return {.content_type = std::string(actuator_type(request)), .body = std::move(body)};
}

Response one_setting(const Request& request, std::span<const ShownSetting> settings) {
    const auto all = with_process(settings);
    const auto found = std::ranges::find(all, request.param("name"), &ShownSetting::name);
    if (found == all.end()) return problem({Errc::not_found, "no such setting"}, request);
    std::string body;
    json::Writer writer(body);
    writer.begin_object().name("property").begin_object();
    writer.member("source", found->source).member("value", found->value).end_object();
    writer.name("activeProfiles").begin_array().end_array().name("propertySources").begin_array();
    for (const std::string_view source : sources) {
        writer.begin_object().member("name", source);
        if (source == found->source)
            writer.name("property").begin_object().member("value", found->value).end_object();
        writer.end_object();
    }
    writer.end_array().end_object();
    return {.content_type = std::string(actuator_type(request)), .body = std::move(body)};
}

}  // namespace trackops::http
