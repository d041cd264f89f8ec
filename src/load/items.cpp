#include "load/items.hpp"

#include <string_view>

#include <fmt/format.h>

#include "platform/json/reader.hpp"

namespace trackops::load {

LoadReport ItemLoad::play(const ProgressOptions& progress) {
    const auto started = wire_.elapsed();
    wire_.after(Duration::zero(), [this, &progress] { next_chunk(progress); });
    wire_.run();
    auto report = tally_.finished();
    report.retried = courier_.retried();
    report.duration = wire_.elapsed() - started;
    return report;
}

void ItemLoad::next_chunk(const ProgressOptions& progress) {
    std::string body;
    std::int64_t sent = 0;
    while (sent < static_cast<std::int64_t>(chunk_lines_max) && body.size() < chunk_bytes_max) {
        const auto line = lines_.next();
        if (!line) break;
        body += *line;
        body += '\n';
        ++sent;
    }
    if (sent == 0) return wire_.stop();
    tally_.report().items.asked += sent;
    const auto first_line = lines_.number() - sent + 1;
    Call call{.target = Target::inventory,
              .method = "POST",
              .path = "/api/inventory/items/bulk",
              .body = std::move(body),
              .content_type = "application/x-ndjson"};
    courier_.deliver(std::move(call), [this, &progress, first_line, sent](Result<Answer> answer) {
        const auto name = fmt::format("lines from {}", first_line);
        if (tally_.count(&LoadReport::items, answer, name, sent)) {
            tally_.report().items.done -= sent;  // the answer speaks of each line
            count(*answer, first_line, sent);
        }
        if (progress.show) progress.show(tally_.report(), lines_.share());
        if (answer) return next_chunk(progress);
        tally_.report().unplayed += lines_.skip_the_rest();
        wire_.stop();
    });
}

// One line of outcome for each item, in their order: {"status": 201, ..} or {"status": 422, "code":
// .., "detail": ..}.
void ItemLoad::count(const Answer& answer, std::int64_t first_line, std::int64_t sent) {
    std::int64_t seen = 0;
    for (std::size_t at = 0; at < answer.body.size() && seen < sent;) {
        const auto end = std::min(answer.body.find('\n', at), answer.body.size());
        const auto line = std::string_view(answer.body).substr(at, end - at);
        at = end + 1;
        if (line.empty()) continue;
        const auto name = fmt::format("item on line {}", first_line + seen++);
        const auto outcome = json::Document::parse(line);
        const auto status = outcome ? outcome->root().find("status") : std::nullopt;
        const Answer single{
            .status = static_cast<int>(status ? status->integer().value_or(500) : 500),
            .body = std::string(line)};
        tally_.count(&LoadReport::items, single, name);
    }
    if (seen < sent)
        tally_.fail(&LoadReport::items, fmt::format("lines from {}", first_line + seen),
                    "the answer says nothing of them", sent - seen);
}

}  // namespace trackops::load
