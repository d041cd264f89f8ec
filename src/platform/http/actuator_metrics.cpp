#include "platform/http/actuator_metrics.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <ranges>
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

// Micrometer's names that do not follow from ours.
struct Alias {
    std::string_view micrometer;
    std::string_view ours;
};
constexpr auto aliases = std::to_array<Alias>({{"process.files.max", "process_max_fds"},
                                               {"process.files.open", "process_open_fds"},
                                               {"system.cpu.count", "system_cpus"}});

// The endings that Micrometer leaves out; the first one that fits counts.
constexpr auto endings = std::to_array<std::string_view>(
    {"_seconds_total", "_bytes_total", "_total", "_seconds", "_bytes"});

const MetricFamily* named(const std::vector<MetricFamily>& families, std::string_view name) {
    const auto found = std::ranges::find(families, name, &MetricFamily::name);
    return found == families.end() ? nullptr : &*found;
}

// Finds a family by its own name or by Micrometer's.
const MetricFamily* find(const std::vector<MetricFamily>& families, std::string name) {
    const auto alias = std::ranges::find(aliases, name, &Alias::micrometer);
    if (alias != aliases.end()) return named(families, alias->ours);
    std::ranges::replace(name, '.', '_');
    if (const auto* family = named(families, name)) return family;
    for (const std::string_view ending : endings) {
        if (const auto* family = named(families, name + std::string(ending))) return family;
    }
    return nullptr;
}

// Returns Micrometer's name; one that would lead to another family keeps its ending.
std::string micrometer_name(const std::vector<MetricFamily>& families, const MetricFamily& family) {
    const auto alias = std::ranges::find(aliases, family.name, &Alias::ours);
    if (alias != aliases.end()) return std::string(alias->micrometer);
    std::string name = family.name;
    const auto ending =
        std::ranges::find_if(endings, [&](std::string_view text) { return name.ends_with(text); });
    if (ending != endings.end()) name.resize(name.size() - ending->size());
    if (find(families, name) != &family) name = family.name;
    std::ranges::replace(name, '_', '.');
    return name;
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

// Returns the quality that an Accept header gives to exactly this media type; a negative number
// when it does not name it.
double quality_of(std::string_view accept, std::string_view media_type) {
    double best = -1;
    for (const auto range : std::views::split(accept, ',')) {
        std::string_view text(range.begin(), range.end());
        const auto take = [&text] {
            const std::size_t end = std::min(text.find(';'), text.size());
            std::string_view part = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            while (part.starts_with(' ') || part.starts_with('\t')) part.remove_prefix(1);
            while (part.ends_with(' ') || part.ends_with('\t')) part.remove_suffix(1);
            return part;
        };
        if (take() != media_type) continue;
        double quality = 1;
        while (!text.empty()) {
            const std::string_view parameter = take();
            if (!parameter.starts_with("q=")) continue;
            const std::string_view number = parameter.substr(2);
            const auto [end, fault] =
                std::from_chars(number.data(), number.data() + number.size(), quality);
            if (fault != std::errc{}) quality = 0;
        }
        best = std::max(best, quality);
    }
    return best;
}

}  // namespace

bool prefers_openmetrics(std::string_view accept) {
    const double quality = quality_of(accept, "application/openmetrics-text");
    return quality > 0 && quality >= quality_of(accept, "text/plain");
}

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
    const auto families = metrics.families();
    for (const MetricFamily& family : families) writer.value(micrometer_name(families, family));
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
    writer.begin_object().member("name", micrometer_name(families, *family));
    writer.member("description", family->help);
    if (const auto unit = base_unit(*family); !unit.empty()) writer.member("baseUnit", unit);
    write_measurements(writer, *family, chosen);
    write_available_tags(writer, chosen, *tags);
    writer.end_object();
    return json_of(request, std::move(body));
}

Response all_metrics(const Request& request, telemetry::Registry& metrics) {
    if (prefers_openmetrics(request.header("accept").value_or(""))) {
        return {.content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8",
                .body = metrics.openmetrics_text()};
    }
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = metrics.prometheus_text()};
}

}  // namespace trackops::http
