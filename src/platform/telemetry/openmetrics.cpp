#include "platform/telemetry/openmetrics.hpp"

#include <array>
#include <cmath>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace trackops::telemetry {
namespace {

constexpr std::string_view total = "_total";

constexpr std::string_view kind_name(MetricKind kind) {
    constexpr auto names = std::to_array<std::string_view>({"counter", "gauge", "histogram"});
    static_assert(names.size() == static_cast<std::size_t>(MetricKind::histogram) + 1);
    return names.at(static_cast<std::size_t>(kind));
}

std::string_view family_name(const MetricFamily& family) {
    std::string_view name = family.name;
    if (family.kind == MetricKind::counter && name.ends_with(total))
        name.remove_suffix(total.size());
    return name;
}

std::string_view unit_of(std::string_view name) {
    for (const std::string_view unit : {"seconds", "bytes"}) {
        if (name.size() > unit.size() && name.ends_with(unit) &&
            name[name.size() - unit.size() - 1] == '_')
            return unit;
    }
    return {};
}

void append_escaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '\\' || c == '"') out += '\\';
        out += c;
    }
}

// A number always has a point, an exponent, or is infinite, as bounds of buckets must.
std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    std::string text = fmt::format("{}", value);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

// Writes {a="1",b="2"}, with `bound` as the label le; nothing without labels.
void append_labels(std::string& out, const Labels& labels, std::string_view bound = {}) {
    if (labels.empty() && bound.empty()) return;
    char before = '{';
    for (const auto& [name, value] : labels) {
        out += before;
        before = ',';
        out += name;
        out += "=\"";
        append_escaped(out, value);
        out += '"';
    }
    if (!bound.empty()) fmt::format_to(std::back_inserter(out), "{}le=\"{}\"", before, bound);
    out += '}';
}

void append_histogram(std::string& out, std::string_view name, const MetricFamily::Series& series) {
    for (const MetricFamily::Bucket& bucket : series.buckets) {
        out += name;
        out += "_bucket";
        append_labels(out, series.labels, number(bucket.upper_bound));
        fmt::format_to(std::back_inserter(out), " {}", bucket.count);
        if (bucket.exemplar) {
            out += " # {trace_id=\"";
            append_escaped(out, bucket.exemplar->trace_id);
            fmt::format_to(std::back_inserter(out), "\"}} {} {:.3f}",
                           number(bucket.exemplar->value), bucket.exemplar->timestamp);
        }
        out += '\n';
    }
    out += name;
    out += "_count";
    append_labels(out, series.labels);
    fmt::format_to(std::back_inserter(out), " {}\n", series.count);
    out += name;
    out += "_sum";
    append_labels(out, series.labels);
    fmt::format_to(std::back_inserter(out), " {}\n", number(series.sum));
}

void append_family(std::string& out, const MetricFamily& family) {
    const std::string_view name = family_name(family);
    fmt::format_to(std::back_inserter(out), "# TYPE {} {}\n", name, kind_name(family.kind));
    if (const auto unit = unit_of(name); !unit.empty())
        fmt::format_to(std::back_inserter(out), "# UNIT {} {}\n", name, unit);
    fmt::format_to(std::back_inserter(out), "# HELP {} ", name);
    append_escaped(out, family.help);
    out += '\n';
    for (const MetricFamily::Series& series : family.series) {
        if (family.kind == MetricKind::histogram) {
            append_histogram(out, name, series);
            continue;
        }
        out += family.name;
        append_labels(out, series.labels);
        fmt::format_to(std::back_inserter(out), " {}\n", number(series.value));
    }
}

}  // namespace

std::string openmetrics_text(std::span<const MetricFamily> families) {
    std::string out;
    for (const MetricFamily& family : families) append_family(out, family);
    out += "# EOF\n";
    return out;
}

}  // namespace trackops::telemetry
