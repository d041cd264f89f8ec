// Fuzzes bulk upserts: each line that is not blank has one outcome, and stock levels stay valid.
#include <map>

#include "fuzz/refusal.hpp"
#include "inventory/adapters/bulk.hpp"
#include "platform/http/body_pipe.hpp"
#include "testing/fakes.hpp"

namespace trackops::fuzz {
namespace {

class ItemStoreFake final : public inventory::app::ItemStore {
public:
    std::vector<Result<inventory::app::WriteResult>> write(
        std::span<const inventory::app::ItemWrite> writes, const Decide& decide, Instant) override {
        std::vector<Result<inventory::app::WriteResult>> answers;
        for (const inventory::app::ItemWrite& write : writes)
            answers.push_back(written(write, decide));
        return answers;
    }

private:
    Result<inventory::app::WriteResult> written(const inventory::app::ItemWrite& write,
                                                const Decide& decide) {
        const auto found = items_.find(write.sku);
        const auto before = found == items_.end() ? std::nullopt : std::optional(found->second);
        const inventory::domain::ItemChange change = TRY(decide(before, write));
        promise(change.item && change.item->sku == write.sku, "an upsert leaves the item there");
        promise(change.item->stock.is_valid(), "stock is sound");
        items_.insert_or_assign(write.sku, *change.item);
        return inventory::app::WriteResult{change.item, !before, {}};
    }
    std::map<std::string, inventory::domain::Item> items_;
};

}  // namespace
}  // namespace trackops::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    using fuzz::promise;
    std::string_view asked = fuzz::text_of(data, size);
    fuzz::ItemStoreFake shelf;
    const testing::FakeClock clock;
    testing::SeededIds ids;
    http::BodyPipe body({}, [] {});
    // The first byte chooses the mode.
    const auto mode = asked.starts_with('=') ? inventory::adapters::BulkMode::set
                                             : inventory::adapters::BulkMode::catalogue;
    inventory::adapters::BulkUpsert bulk{shelf, clock, ids, mode};
    body.put(asked);
    body.finish();
    std::string text;
    for (;;) {
        const auto arrived = body.take(inventory::adapters::bulk_lines_max);
        promise(arrived.has_value(), "a whole body has lines or an end");
        promise(arrived->is_over || !arrived->lines.empty(), "and one of both at once");
        if (!arrived->lines.empty())
            (void)inventory::adapters::upsert_items(arrived->lines, bulk, text);
        if (arrived->is_over) break;
    }
    std::string_view outcomes = text;
    for (std::int64_t number = 1; !asked.empty(); ++number) {
        const std::string_view line = fuzz::take_line(asked);
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        const auto outcome = json::Document::parse(fuzz::take_line(outcomes));
        promise(outcome.has_value(), "each outcome is a line of JSON");
        const auto named = outcome->root().find("line");
        promise(named && named->integer() == number, "outcomes are in the order of the lines");
        const auto status = outcome->root().find("status");
        promise(status && status->integer(), "an outcome has a status");
        const bool is_done = *status->integer() == 200 || *status->integer() == 201;
        promise(is_done == outcome->root().find("version").has_value(), "and a version if done");
        promise(is_done != outcome->root().find("detail").has_value(), "or says why not");
    }
    promise(outcomes.empty(), "nobody else has an outcome");
    return 0;
}
