// The id of an order, by which stock refers to the order service.
#pragma once
#include "base/id.hpp"

namespace trackops::inventory::domain {

using OrderId = Id<struct OrderTag>;

}  // namespace trackops::inventory::domain
