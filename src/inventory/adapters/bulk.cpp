#include "inventory/adapters/bulk.hpp"

#include <utility>
#include <vector>

#include "inventory/adapters/read_requests.hpp"
#include "inventory/app/write_items.hpp"
#include "platform/json/writer.hpp"

namespace trackops::inventory::adapters {

namespace {

struct Outcome {
    std::int64_t line = 0;
    std::string sku;
    Result<app::WriteResult> answer;
};

Result<ItemRequest> read_line(const http::BodyLine& line, std::string& sku) {
    if (line.is_too_long) return http::too_long_line();
    return read_bulk_line(line.text, sku);
}

void write_outcome(std::string& text, const Outcome& outcome) {
    json::Writer out(text);
    out.begin_object().member("line", outcome.line);
    if (!outcome.sku.empty()) out.member("sku", outcome.sku);
    if (outcome.answer) {
        out.member("status", outcome.answer->is_new ? 201 : 200)
            .member("version", outcome.answer->item->version);
    } else {
        http::write_refusal(out, outcome.answer.error());
    }
    out.end_object();
    text += '\n';
}

}  // namespace

bool upsert_items(std::span<const http::BodyLine> lines, app::ItemStore& store, const Clock& clock,
                  Ids& ids, std::string& answer) {
    std::vector<Outcome> outcomes;
    outcomes.reserve(lines.size());
    std::vector<app::ItemWrite> writes;
    std::vector<std::size_t> places;  // the index in `outcomes` of each element of `writes`
    for (const http::BodyLine& line : lines) {
        outcomes.push_back({line.number, {}, {}});
        Outcome& outcome = outcomes.back();
        auto request = read_line(line, outcome.sku);
        if (request) {
            writes.push_back({ids.next(), std::move(request->sku), std::move(request->command)});
            places.push_back(outcomes.size() - 1);
        } else {
            outcome.answer = std::unexpected(std::move(request).error());
        }
    }
    if (!writes.empty()) {
        auto written = app::write_items(writes, store, clock);
        for (std::size_t i = 0; i < places.size(); ++i)
            outcomes[places[i]].answer = std::move(written[i]);
    }
    bool all_are_done = true;
    for (const Outcome& outcome : outcomes) {
        write_outcome(answer, outcome);
        all_are_done = all_are_done && outcome.answer.has_value();
    }
    return all_are_done;
}

}  // namespace trackops::inventory::adapters
