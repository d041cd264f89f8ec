// Letters that differ only in case, by Unicode's simple case folding. The rule does not depend on a
// locale, so every database and every machine finds the same.
#pragma once
#include <string_view>
#include <vector>

namespace trackops {

// Returns the characters that are the same letter as `character` whatever the case, itself
// included: k, K and U+212A (Kelvin) for k. Only `character` if it has no other case.
std::vector<char32_t> case_variants(char32_t character);

}  // namespace trackops
