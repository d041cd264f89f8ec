#include "order/adapters/read_address.hpp"

#include <utility>

#include "base/country.hpp"
#include "order/domain/address_rules.hpp"

namespace trackops::order::adapters {
namespace {

constexpr json::TextRule rule_of(std::size_t max_characters) {
    return {.max_characters = max_characters, .form = json::TextForm::line};
}
constexpr json::TextRule recipient_rule = rule_of(200);
constexpr json::TextRule street_rule = rule_of(200);
constexpr json::TextRule city_rule = rule_of(100);
constexpr json::TextRule region_rule = rule_of(100);
constexpr json::TextRule postal_code_rule = rule_of(20);
constexpr json::TextRule phone_rule = rule_of(40);
constexpr json::TextRule country_rule{
    .is_valid = is_country,
    .expected = "must be an ISO 3166-1 alpha-2 code in capitals, such as GB"};

// A member that is given with a wrong type has its fault already; it is not also missing.
void check_by_country(json::ObjectReader& in, const domain::Address& address) {
    for (FieldError& fault : domain::faults_of(address)) {
        const std::string_view name = fault.pointer == "/region" ? "region" : "postalCode";
        const bool is_given = in.has(name) && !in.is_given_as_nothing(name);
        if (fault.code == "required" && is_given) continue;
        in.fault(name, std::move(fault.detail), std::move(fault.code));
    }
}

// Returns the new value of a member that an address must have.
std::optional<std::string> required_patch_of(json::ObjectReader& in, std::string_view name,
                                             const json::TextRule& rule) {
    if (!in.any(name)) return std::nullopt;
    return in.text(name, rule);
}

domain::TextPatch patch_of(json::ObjectReader& in, std::string_view name,
                           const json::TextRule& rule) {
    auto value = in.maybe_text(name, rule);
    if (value || in.is_given_as_nothing(name)) return std::optional(std::move(value));
    return std::nullopt;
}

}  // namespace

domain::Address read_address(json::ObjectReader& in) {
    domain::Address address;
    address.recipient = in.maybe_text("recipient", recipient_rule);
    address.line1 = in.text("line1", street_rule);
    address.line2 = in.maybe_text("line2", street_rule);
    address.city = in.text("city", city_rule);
    address.region = in.maybe_text("region", region_rule);
    address.postal_code = in.maybe_text("postalCode", postal_code_rule).value_or("");
    address.country = in.text("country", country_rule);
    check_by_country(in, address);
    address.phone = in.maybe_text("phone", phone_rule);
    return address;
}

domain::AddressPatch read_address_patch(json::ObjectReader& in) {
    domain::AddressPatch patch;
    patch.recipient = patch_of(in, "recipient", recipient_rule);
    patch.line1 = required_patch_of(in, "line1", street_rule);
    patch.line2 = patch_of(in, "line2", street_rule);
    patch.city = required_patch_of(in, "city", city_rule);
    patch.region = patch_of(in, "region", region_rule);
    patch.postal_code = patch_of(in, "postalCode", postal_code_rule);
    patch.country = required_patch_of(in, "country", country_rule);
    patch.phone = patch_of(in, "phone", phone_rule);
    return patch;
}

}  // namespace trackops::order::adapters
