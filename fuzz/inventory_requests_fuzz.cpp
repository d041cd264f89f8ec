// Fuzzes the bodies of the inventory API, and single lines of a bulk upsert.
#include <cstdlib>

#include "base/money.hpp"
#include "base/sku.hpp"
#include "fuzz/refusal.hpp"
#include "inventory/adapters/read_requests.hpp"

namespace trackops::fuzz {
namespace {

void check_item_patch(const inventory::domain::ItemPatch& words) {
    if (words.name) promise(!words.name->empty() && words.name->size() <= 200, "a name fits");
    if (words.price && *words.price) {
        promise(is_currency((*words.price)->currency), "a price has a currency");
        promise((*words.price)->unit_amount_minor >= 0, "a price is not negative");
    }
}

void check_units(std::int64_t units) {
    promise(units >= 0 && units <= inventory::domain::max_units, "stock is within its bounds");
}

}  // namespace
}  // namespace trackops::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    using fuzz::promise;
    std::string_view rest = fuzz::text_of(data, size);
    switch (fuzz::take_choice(rest, 4)) {
        case 0:
            if (const auto item = inventory::adapters::read_new_item(rest); fuzz::is_taken(item)) {
                promise(is_sku(item->sku), "an item has a SKU");
                const auto& command = std::get<inventory::domain::CreateItem>(item->command);
                fuzz::check_item_patch(command.patch);
                fuzz::check_units(command.on_hand);
            }
            break;
        case 1: {
            using inventory::adapters::BulkMode;
            std::string sku;
            const auto set = inventory::adapters::read_bulk_line(rest, BulkMode::set, sku);
            if (fuzz::is_taken(set)) {
                const auto& command = std::get<inventory::domain::UpsertItem>(set->command);
                promise(command.on_hand && command.expected_on_hand, "counts are compared");
                fuzz::check_units(*command.expected_on_hand);
            }
            const auto item = inventory::adapters::read_bulk_line(rest, BulkMode::catalogue, sku);
            promise(sku.empty() || is_sku(sku), "a line is named by its SKU");
            if (!fuzz::is_taken(item)) break;
            promise(item->sku == sku, "a line is named by its SKU");
            const auto& command = std::get<inventory::domain::UpsertItem>(item->command);
            fuzz::check_item_patch(command.patch);
            fuzz::check_units(command.on_hand.value_or(0));
            break;
        }
        case 2:
            if (const auto patch = inventory::adapters::read_patch(rest); fuzz::is_taken(patch))
                fuzz::check_item_patch(patch->patch);
            break;
        default:
            if (const auto change = inventory::adapters::read_adjustment(rest);
                fuzz::is_taken(change)) {
                promise(
                    change->delta != 0 && std::llabs(change->delta) <= inventory::domain::max_units,
                    "an adjustment changes something");
                promise(!change->reason.empty(), "and says why");
            }
    }
    return 0;
}
