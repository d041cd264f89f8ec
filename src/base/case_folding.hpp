// Letters that differ only in case, by Unicode's simple case folding. The rule does not depend on a
// locale, so every database and every machine finds the same.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace trackops {

// Returns the characters that are the same letter as `character` whatever the case, itself
// included: k, K and U+212A (Kelvin) for k. Only `character` if it has no other case.
std::vector<char32_t> case_variants(char32_t character);

// Returns one text for all texts that differ only in the case of their letters. The text is for
// comparison, not for people.
std::string case_folded(std::string_view text);

}  // namespace trackops
