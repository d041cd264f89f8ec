#include "load/report.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "platform/json/writer.hpp"

namespace trackops::load {

namespace {

std::int64_t sum(const Counts& counts) {
    return std::accumulate(
        counts.begin(), counts.end(), std::int64_t{0},
        [](std::int64_t total, const auto& entry) { return total + entry.second; });
}

std::string grouped(std::int64_t number) {
    auto text = fmt::format("{}", number);
    for (auto at = static_cast<std::int64_t>(text.size()) - 3; at > 0; at -= 3)
        text.insert(static_cast<std::size_t>(at), 1, ',');
    return text;
}

std::string format_duration(Duration taken) {
    const auto micros = static_cast<double>(taken.count());
    if (micros < 1'000) return fmt::format("{} us", taken.count());
    if (micros < 1'000'000) return fmt::format("{:.1f} ms", micros / 1e3);
    return fmt::format("{:.2f} s", micros / 1e6);
}

// Formats counts as " (OUT_OF_STOCK 12, TIMED_OUT 1)", the most frequent first. Empty for no
// counts.
std::string listed(const Counts& counts) {
    std::vector<std::pair<std::string, std::int64_t>> rows(counts.begin(), counts.end());
    std::ranges::stable_sort(rows, std::greater<>{}, &std::pair<std::string, std::int64_t>::second);
    std::string out;
    for (const auto& [name, count] : rows)
        out += fmt::format("{}{} {}", out.empty() ? " (" : ", ", name.empty() ? "?" : name,
                           grouped(count));
    return out.empty() ? out : out + ")";
}

std::string row(std::string_view name, const CallCounts& calls) {
    if (calls.asked == 0) return {};
    return fmt::format("{:<14}{} asked, {} done, {} refused{}, {} failed\n", name,
                       grouped(calls.asked), grouped(calls.done), grouped(sum(calls.refused)),
                       listed(calls.refused), grouped(calls.failed));
}

std::string row(std::string_view name, const Percentiles& times, std::string_view meaning) {
    if (times.count == 0) return {};
    return fmt::format("{:<14}p50 {}, p99 {}, max {}: {}\n", name, format_duration(times.p50),
                       format_duration(times.p99), format_duration(times.max), meaning);
}

void append(json::Writer& out, std::string_view name, const Counts& counts) {
    out.name(name).begin_object();
    for (const auto& [key, count] : counts) out.member(key, count);
    out.end_object();
}

void append(json::Writer& out, std::string_view name, const CallCounts& calls) {
    out.name(name).begin_object();
    out.member("asked", calls.asked).member("done", calls.done).member("failed", calls.failed);
    append(out, "refused", calls.refused);
    out.end_object();
}

void append(json::Writer& out, std::string_view name, const Percentiles& times) {
    out.name(name).begin_object();
    out.member("count", times.count).member("p50Micros", std::int64_t{times.p50.count()});
    out.member("p99Micros", std::int64_t{times.p99.count()});
    out.member("maxMicros", std::int64_t{times.max.count()}).end_object();
}

}  // namespace

bool LoadReport::has_succeeded() const {
    return pending == 0 && lost == 0 && unplayed == 0 && orders.failed == 0 &&
           cancels.failed == 0 && adjustments.failed == 0 && items.failed == 0;
}

double LoadReport::orders_per_second() const {
    const auto micros = static_cast<double>(accepting.count());
    return micros <= 0 ? 0 : static_cast<double>(orders.done) * 1e6 / micros;
}

std::string print(const LoadReport& report) {
    std::string out = row("orders", report.orders);
    if (report.orders.asked > 0)
        out += fmt::format("{:<14}{} confirmed, {} cancelled{}, {} still PENDING, {} lost\n",
                           "outcome", grouped(report.confirmed), grouped(sum(report.cancelled)),
                           listed(report.cancelled), grouped(report.pending), grouped(report.lost));
    out += row("cancels", report.cancels);
    out += row("adjustments", report.adjustments);
    out += row("items", report.items);
    if (const auto count = sum(report.not_sent); count > 0)
        out += fmt::format("{:<14}{} are no orders{}\n", "not sent", grouped(count),
                           listed(report.not_sent));
    if (report.unreadable > 0)
        out += fmt::format("{:<14}{} lines\n", "unreadable", grouped(report.unreadable));
    if (report.unplayed > 0)
        out += fmt::format("{:<14}{} lines, as a server stayed away\n", "not played",
                           grouped(report.unplayed));
    if (report.replayed > 0)
        out += fmt::format("{:<14}{} orders were placed by an earlier run under the same key\n",
                           "replayed", grouped(report.replayed));
    out += row("to accepted", report.to_accepted,
               report.from_intended_start ? "from the intended start to the answer"
                                          : "from sending to the answer");
    out +=
        row("to confirmed", report.to_confirmed, "createdAt to updatedAt, by the server's clock");
    out +=
        row("to seen", report.to_seen,
            report.from_intended_start ? "from the intended start to the poll that saw it confirmed"
                                       : "from sending to the poll that saw it confirmed");
    out += fmt::format("{:<14}{}", "took", format_duration(report.duration));
    if (report.orders.done > 0)
        out += fmt::format("; orders were accepted at {:.0f}/s for {}", report.orders_per_second(),
                           format_duration(report.accepting));
    out += fmt::format("; {} calls made again\n", grouped(report.retried));
    for (const auto& example : report.examples) out += fmt::format("  e.g. {}\n", example);
    return out;
}

std::string to_json(const LoadReport& report) {
    std::string text;
    json::Writer out(text);
    out.begin_object().member("good", report.has_succeeded());
    append(out, "orders", report.orders);
    append(out, "cancels", report.cancels);
    append(out, "adjustments", report.adjustments);
    append(out, "items", report.items);
    out.member("replayed", report.replayed).member("confirmed", report.confirmed);
    append(out, "cancelled", report.cancelled);
    out.member("pending", report.pending).member("lost", report.lost);
    append(out, "notSent", report.not_sent);
    out.member("unreadable", report.unreadable).member("unplayed", report.unplayed);
    out.member("retried", report.retried).member("fromIntendedStart", report.from_intended_start);
    append(out, "toAccepted", report.to_accepted);
    append(out, "toConfirmed", report.to_confirmed);
    append(out, "toSeen", report.to_seen);
    out.name("ordersPerSecond").decimal(report.orders_per_second());
    out.member("acceptingMicros", std::int64_t{report.accepting.count()});
    out.member("durationMicros", std::int64_t{report.duration.count()});
    out.name("examples").begin_array();
    for (const auto& example : report.examples) out.value(example);
    out.end_array().end_object();
    return text;
}

}  // namespace trackops::load
