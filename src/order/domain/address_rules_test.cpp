#include "order/domain/address_rules.hpp"

#include <gtest/gtest.h>

namespace trackops::order::domain {
namespace {

Address in(std::string country, std::string postal_code, std::optional<std::string> region = {}) {
    return {
        {}, "1 High St", {}, "Town", std::move(region), std::move(postal_code), std::move(country),
        {}};
}

// "POINTER CODE" of each fault.
std::string faults(const Address& address) {
    std::string text;
    for (const FieldError& fault : faults_of(address))
        text += (text.empty() ? "" : ", ") + fault.pointer + ' ' + fault.code;
    return text;
}

TEST(AddressRules, AskForWhatTheCountryNeeds) {
    EXPECT_EQ(faults(in("GB", "SW1Y 4JH")), "");
    EXPECT_EQ(faults(in("GB", "")), "/postalCode required");
    EXPECT_EQ(faults(in("GB", "12345")), "/postalCode format");
    EXPECT_EQ(faults(in("US", "94043", "CA")), "");
    EXPECT_EQ(faults(in("US", "94043")), "/region required");
    EXPECT_EQ(faults(in("US", "")), "/postalCode required, /region required");
    EXPECT_EQ(faults(in("IE", "")), "") << "a country whose addresses may lack one";
    EXPECT_EQ(faults(in("XX", "anything")), "") << "no country";
}

}  // namespace
}  // namespace trackops::order::domain
