#include "order/domain/address_rules.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/country.hpp"

namespace trackops::order::domain {

std::vector<FieldError> faults_of(const Address& address) {
    std::vector<FieldError> faults;
    const std::string& country = address.country;
    const std::string_view example = postal_code_example(country);
    if (address.postal_code.empty() && needs_postal_code(country)) {
        faults.push_back(
            {"/postalCode",
             fmt::format("is required: an address in {} has one, such as {}", country, example),
             "required"});
    }
    if (!address.postal_code.empty() && !is_postal_code(country, address.postal_code)) {
        faults.push_back({"/postalCode",
                          fmt::format("must be a postal code of {}, such as {}", country, example),
                          "format"});
    }
    if (!address.region && needs_region(country)) {
        faults.push_back(
            {"/region",
             fmt::format("is required: an address in {} names its state or province", country),
             "required"});
    }
    return faults;
}

Address erased_address(std::string country) {
    constexpr const char* erased = "erased";
    Address address;
    address.line1 = erased;
    address.city = erased;
    if (needs_region(country)) address.region = erased;
    if (needs_postal_code(country)) address.postal_code = erased;
    address.country = std::move(country);
    return address;
}

}  // namespace trackops::order::domain
