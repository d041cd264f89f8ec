// The rules of an address, by its country.
#pragma once
#include <string>
#include <vector>

#include "base/result.hpp"
#include "order/domain/order.hpp"

namespace trackops::order::domain {

// Returns what is wrong with the address, with pointers into it such as /postalCode: a postal code
// or region that the country needs and that is missing (code "required"), and a postal code that
// the country does not have (code "format"). Nothing for a country that does not exist.
std::vector<FieldError> faults_of(const Address& address);
// Returns an address that names nobody, with the members that the country needs.
Address erased_address(std::string country);

}  // namespace trackops::order::domain
