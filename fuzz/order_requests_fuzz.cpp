// Fuzzes the bodies of the order API.
#include "base/country.hpp"
#include "base/money.hpp"
#include "base/sku.hpp"
#include "fuzz/refusal.hpp"
#include "order/adapters/read_requests.hpp"

namespace trackops::fuzz {
namespace {

void read_order_terms(std::string_view body) {
    const auto terms = order::adapters::read_order_terms(body);
    if (!is_taken(terms)) return;
    const auto total = order::domain::total_of(*terms);
    promise(total && *total >= 0 && *total <= max_amount_minor, "the total of an order fits");
    promise(!terms->items.empty() && terms->items.size() <= order::domain::max_lines,
            "an order has 1 to 2000 lines");
    for (const order::domain::Line& line : terms->items) {
        promise(is_sku(line.sku), "a line has a SKU");
        promise(line.quantity >= 1 && line.quantity <= order::domain::max_quantity,
                "and a quantity");
    }
    promise(is_currency(terms->currency), "an order has a currency");
    promise(is_country(terms->shipping_address.country), "and goes to a country");
    if (terms->metadata) {
        const auto metadata = json::Document::parse(*terms->metadata);
        promise(metadata && metadata->root().kind() == json::Kind::object,
                "metadata is a JSON object");
    }
}

void read_command(order::domain::Action action, std::string_view body) {
    const auto command = order::adapters::read_command(action, body);
    if (!is_taken(command)) return;
    promise(command->action == action, "a command does what it was asked for");
    promise(action == order::domain::Action::ship || !command->shipment,
            "only a shipment has a carrier");
    promise(command->reason.size() <= 64, "a reason is short");
}

}  // namespace
}  // namespace trackops::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    std::string_view rest = fuzz::text_of(data, size);
    switch (fuzz::take_choice(rest, 5)) {
        case 0:
            fuzz::read_order_terms(rest);
            break;
        case 1:
            fuzz::read_command(order::domain::Action::ship, rest);
            break;
        case 2:
            fuzz::read_command(order::domain::Action::cancel, rest);
            break;
        case 3:
            fuzz::read_command(order::domain::Action::process, rest);
            break;
        default:
            if (const auto command = order::adapters::read_status_change(rest);
                fuzz::is_taken(command))
                fuzz::promise(command->action != order::domain::Action::confirm,
                              "no client confirms");
    }
    return 0;
}
