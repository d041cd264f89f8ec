// Countries and what their addresses need.
#pragma once
#include <string_view>

namespace trackops {

// Whether the text is an ISO 3166-1 alpha-2 code, or XK (Kosovo). Upper case only.
bool is_country(std::string_view code);

// Whether an address in the country is incomplete without a postal code. False where a country has
// no postal codes or where mail arrives without one.
bool needs_postal_code(std::string_view country);

// Whether an address in the country is incomplete without its state or province.
bool needs_region(std::string_view country);

// Whether the UTF-8 text can be a postal code of the country. Case, blanks, hyphens and a leading
// country code do not matter, and a digit may come from any of the scripts that postal codes are
// written in. True for any text where the country has no postal codes or no form that is known.
bool is_postal_code(std::string_view country, std::string_view text);

// Returns a postal code of the country as its post writes it; "" where no form is known.
std::string_view postal_code_example(std::string_view country);

}  // namespace trackops
