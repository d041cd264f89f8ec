// The readers of an address, by the rules of its country, and of a change of one.
#pragma once
#include "order/domain/customer.hpp"
#include "platform/json/object_reader.hpp"

namespace trackops::order::adapters {

// Reads the members of an address, and of nothing else. The faults go to the list of `in`: a
// missing postal code or region where the country needs one, and a postal code that the country
// does not have.
domain::Address read_address(json::ObjectReader& in);

// Reads the members of a change of an address; the rules of its country are checked when it is
// applied. A member that is absent is left as it is; one that is null or blank is cleared, or is a
// fault where an address must have it.
domain::AddressPatch read_address_patch(json::ObjectReader& in);

}  // namespace trackops::order::adapters
