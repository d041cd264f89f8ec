// The form of a reason that a client gives, such as CUSTOMER_REQUEST.
#pragma once
#include <string_view>

namespace trackops {

// Whether `text` begins with a capital letter and holds only capitals, digits and '_' (ASCII).
bool is_reason(std::string_view text);

}  // namespace trackops
