// Countries and what their addresses need.
#pragma once
#include <string_view>

namespace trackops {

// Whether the text is an ISO 3166-1 alpha-2 code, or XK (Kosovo). Upper case only.
bool is_country(std::string_view code);

// Whether an address in the country is incomplete without a postal code. False where a country has
// no postal codes or where mail arrives without one.
bool needs_postal_code(std::string_view country);

}  // namespace trackops
