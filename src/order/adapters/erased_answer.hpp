// The recorded answers that show a person, without what they show of it.
#pragma once
#include <string>

#include "platform/json/reader.hpp"

namespace trackops::order::adapters {

// Returns the answer, which is an order, a customer or an address of a customer, without its
// personal data: as the erasure of a customer leaves an order.
std::string erased_answer(json::Value answer);

}  // namespace trackops::order::adapters
