#include "load/items.hpp"

#include <string_view>

#include <fmt/format.h>

#include "platform/json/reader.hpp"

namespace trackops::load {

LoadReport ItemLoader::play(const ProgressOptions& progress) {
    const auto started = client_.elapsed();
    client_.after(Duration::zero(), [this, &progress] { next_chunk(progress); });
    client_.run();
    auto report = report_builder_.finished();
    report.retried = retrying_client_.retried();
    report.duration = client_.elapsed() - started;
    return report;
}

void ItemLoader::next_chunk(const ProgressOptions& progress) {
    std::string body;
    std::int64_t sent = 0;
    while (sent < static_cast<std::int64_t>(chunk_lines_max) && body.size() < chunk_bytes_max) {
        const auto line = lines_.next();
        if (!line) break;
        body += *line;
        body += '\n';
        ++sent;
    }
    if (sent == 0) return client_.stop();
    report_builder_.report().items.asked += sent;
    const auto first_line = lines_.number() - sent + 1;
    Request call{.target = Target::inventory,
                 .method = "POST",
                 .path = "/api/inventory/items/bulk",
                 .body = std::move(body),
                 .content_type = "application/x-ndjson"};
    retrying_client_.send_with_retries(
        std::move(call), [this, &progress, first_line, sent](Result<Response> response) {
            const auto name = fmt::format("lines from {}", first_line);
            if (report_builder_.count(&LoadReport::items, response, name, sent)) {
                // The bulk response holds an outcome for each line.
                report_builder_.report().items.done -= sent;
                count(*response, first_line, sent);
            }
            if (progress.show) progress.show(report_builder_.report(), lines_.share());
            if (response) return next_chunk(progress);
            report_builder_.report().unplayed += lines_.count_remaining_lines();
            client_.stop();
        });
}

// Counts the outcome lines of a bulk response. Each item has one, in the order of the request:
// - {"status": 201, ..}
// - {"status": 422, "code": .., "detail": ..}
void ItemLoader::count(const Response& response, std::int64_t first_line, std::int64_t sent) {
    std::int64_t seen = 0;
    for (std::size_t at = 0; at < response.body.size() && seen < sent;) {
        const auto end = std::min(response.body.find('\n', at), response.body.size());
        const auto line = std::string_view(response.body).substr(at, end - at);
        at = end + 1;
        if (line.empty()) continue;
        const auto name = fmt::format("item on line {}", first_line + seen++);
        const auto outcome = json::Document::parse(line);
        const auto status = outcome ? outcome->root().find("status") : std::nullopt;
        const Response single{
            .status = static_cast<int>(status ? status->integer().value_or(500) : 500),
            .body = std::string(line)};
        report_builder_.count(&LoadReport::items, single, name);
    }
    if (seen < sent)
        report_builder_.fail(&LoadReport::items, fmt::format("lines from {}", first_line + seen),
                             "the answer says nothing of them", sent - seen);
}

}  // namespace trackops::load
