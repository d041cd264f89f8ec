#include "platform/http/actuator_metrics.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "platform/json/writer.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::http {
namespace {

using telemetry::MetricFamily;
using telemetry::MetricKind;
using Tag = std::pair<std::string, std::string>;

// Finds a family by its own name or by Micrometer's.
const MetricFamily* find(const std::vector<MetricFamily>& families, std::string name) {
    std::ranges::replace(name, '.', '_');
    for (const std::string_view ending : {"", "_seconds", "_bytes", "_total", "_seconds_total"}) {
        const auto found =
            std::ranges::find(families, name + std::string(ending), &MetricFamily::name);
        if (found != families.end()) return &*found;
    }
    return nullptr;
}

Result<std::vector<Tag>> tags_of(const Request& request) {
    TRY(check_query(request, {"tag"}, {"tag"}));
    std::vector<Tag> tags;
    for (const auto& [name, value] : request.query) {
        const auto colon = value.find(':');
        if (colon == std::string::npos)
            return fail(Errc::invalid, "the query is not valid",
                        {{"tag", "is written NAME:VALUE", "format"}});
        tags.emplace_back(value.substr(0, colon), value.substr(colon + 1));
    }
    return tags;
}

bool has_all(const MetricFamily::Series& series, const std::vector<Tag>& tags) {
    return std::ranges::all_of(tags, [&](const Tag& tag) {
        return std::ranges::find(series.labels, tag) != series.labels.end();
    });
}

std::string_view base_unit(const MetricFamily& family) {
    if (family.name.find("_seconds") != std::string::npos) return "seconds";
    if (family.name.find("_bytes") != std::string::npos) return "bytes";
    return {};
}

void write_measurement(json::Writer& writer, std::string_view statistic, double value) {
    writer.begin_object().member("statistic", statistic).name("value").decimal(value).end_object();
}

void write_measurements(json::Writer& writer, const MetricFamily& family,
                        const std::vector<const MetricFamily::Series*>& series) {
    double value = 0;
    double count = 0;
    double sum = 0;
    for (const auto* one : series) {
        value += one->value;
        count += static_cast<double>(one->count);
        sum += one->sum;
    }
    writer.name("measurements").begin_array();
    if (family.kind == MetricKind::histogram) {
        write_measurement(writer, "COUNT", count);
        write_measurement(writer, "TOTAL_TIME", sum);
    } else {
        write_measurement(writer, family.kind == MetricKind::counter ? "COUNT" : "VALUE", value);
    }
    writer.end_array();
}

void write_available_tags(json::Writer& writer,
                          const std::vector<const MetricFamily::Series*>& series,
                          const std::vector<Tag>& chosen) {
    std::map<std::string, std::set<std::string>> values;
    for (const auto* one : series) {
        for (const auto& [name, value] : one->labels) values[name].insert(value);
    }
    for (const auto& [name, value] : chosen) values.erase(name);
    writer.name("availableTags").begin_array();
    for (const auto& [name, all] : values) {
        writer.begin_object().member("tag", name).name("values").begin_array();
        for (const std::string& value : all) writer.value(value);
        writer.end_array().end_object();
    }
    writer.end_array();
}

Response json_of(const Request& request, std::string body) {
    return {.content_type = std::string(actuator_type(request)), .body = std::move(body)};
}

}  // namespace

std::string_view actuator_type(const Request& request) {
    const auto accept = request.header("accept").value_or("");
    const bool wants_spring = accept.find("spring-boot.actuator") != std::string_view::npos;
    const bool wants_plain = accept.find("application/json") != std::string_view::npos;
    if (wants_plain && !wants_spring) return "application/json";
    return "application/vnd.spring-boot.actuator.v3+json";
}

Response metric_names(const Request& request, telemetry::Registry& metrics) {
    std::string body;
    json::Writer writer(body);
    writer.begin_object().name("names").begin_array();
    for (const MetricFamily& family : metrics.families()) writer.value(family.name);
    writer.end_array().end_object();
    return json_of(request, std::move(body));
}

Response one_metric(const Request& request, telemetry::Registry& metrics) {
    const auto tags = tags_of(request);
    if (!tags) return problem(tags.error(), request);
    const auto families = metrics.families();
    const MetricFamily* family = find(families, std::string(request.param("name")));
    if (family == nullptr) return problem({Errc::not_found, "no such metric"}, request);
    std::vector<const MetricFamily::Series*> chosen;
    for (const auto& series : family->series) {
        if (has_all(series, *tags)) chosen.push_back(&series);
    }
    if (chosen.empty())
        return problem({Errc::not_found, "no series of this metric has these tags"}, request);
    std::string body;
    json::Writer writer(body);
    writer.begin_object().member("name", family->name).member("description", family->help);
    if (const auto unit = base_unit(*family); !unit.empty()) writer.member("baseUnit", unit);
    write_measurements(writer, *family, chosen);
    write_available_tags(writer, chosen, *tags);
    writer.end_object();
    return json_of(request, std::move(body));
}

}  // namespace trackops::http
