#include "inventory/adapters/bulk.hpp"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "inventory/app/write_items.hpp"
#include "platform/json/writer.hpp"

namespace trackops::inventory::adapters {

namespace {

struct Outcome {
    std::int64_t line = 0;
    std::string sku;
    std::int64_t same_sku_as_line = 0;          // 0: of no earlier line
    std::optional<std::int64_t> given_on_hand;  // if it counts for a new item alone
    Result<app::WriteResult> answer;
};

Result<ItemRequest> read_line(const http::BodyLine& line, BulkMode mode, std::string& sku) {
    if (line.is_too_long) return http::too_long_line();
    return read_bulk_line(line.text, mode, sku);
}

void write_success(json::Writer& out, const Outcome& outcome) {
    const domain::Item& item = *outcome.answer->item;
    out.member("status", outcome.answer->is_new ? 201 : 200)
        .member("version", item.version)
        .member("onHand", item.stock.on_hand);
    if (outcome.given_on_hand && *outcome.given_on_hand != item.stock.on_hand)
        out.member("note",
                   "the item exists, so its count stays as it is; mode=set and expectedOnHand "
                   "change counts");
}

void write_outcome(std::string& text, const Outcome& outcome) {
    json::Writer out(text);
    out.begin_object().member("line", outcome.line);
    if (!outcome.sku.empty()) out.member("sku", outcome.sku);
    if (outcome.same_sku_as_line > 0) out.member("sameSkuAsLine", outcome.same_sku_as_line);
    if (outcome.answer) {
        write_success(out, outcome);
    } else {
        http::write_refusal(out, outcome.answer.error());
    }
    out.end_object();
    text += '\n';
}

}  // namespace

std::int64_t StreamSkus::first_line_of(const std::string& sku, std::int64_t line) {
    if (const auto found = lines_.find(sku); found != lines_.end()) return found->second;
    if (lines_.size() < bulk_skus_remembered_max) lines_.emplace(sku, line);
    return 0;
}

bool upsert_items(std::span<const http::BodyLine> lines, BulkUpsert& bulk, std::string& answer) {
    std::vector<Outcome> outcomes;
    outcomes.reserve(lines.size());
    std::vector<app::ItemWrite> writes;
    std::vector<std::size_t> places;  // the index in `outcomes` of each element of `writes`
    for (const http::BodyLine& line : lines) {
        Outcome& outcome = outcomes.emplace_back();
        outcome.line = line.number;
        auto request = read_line(line, bulk.mode, outcome.sku);
        if (!outcome.sku.empty())
            outcome.same_sku_as_line = bulk.skus.first_line_of(outcome.sku, line.number);
        if (request) {
            if (bulk.mode == BulkMode::catalogue)
                outcome.given_on_hand = std::get<domain::UpsertItem>(request->command).on_hand;
            writes.push_back(
                {bulk.ids.next(), std::move(request->sku), std::move(request->command)});
            writes.back().act = bulk.act;
            places.push_back(outcomes.size() - 1);
        } else {
            outcome.answer = std::unexpected(std::move(request).error());
        }
    }
    if (!writes.empty()) {
        auto written = app::write_items(writes, bulk.store, bulk.clock);
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
