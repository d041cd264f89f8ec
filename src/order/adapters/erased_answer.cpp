#include "order/adapters/erased_answer.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "order/adapters/order_json.hpp"
#include "order/domain/address_rules.hpp"
#include "platform/json/writer.hpp"

namespace trackops::order::adapters {
namespace {

constexpr auto personal_members = std::to_array<std::string_view>(
    {"name", "email", "phone", "metadata", "label", "recipient", "line1", "line2", "city", "region",
     "postalCode", "deliveryInstructions"});

}  // namespace

std::string erased_answer(json::Value answer) {
    std::string text;
    json::Writer out(text);
    out.begin_object();
    answer.each_member([&out](std::string_view name, json::Value value) {
        if (std::ranges::find(personal_members, name) != personal_members.end()) return;
        if (name == "country") {  // of an address
            write_address_members(out,
                                  domain::erased_address(std::string(value.text().value_or(""))));
        } else if (name == "shippingAddress") {
            write_address(out.name(name),
                          domain::erased_address(std::string(value.text_of("country"))));
        } else {
            out.name(name).raw(value.minified());
        }
    });
    out.end_object();
    return text;
}

}  // namespace trackops::order::adapters
