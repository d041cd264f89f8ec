// The patterns that find words in a text whatever the case of their letters. Both databases get the
// same letters from one table, so both find the same.
#pragma once
#include <string>
#include <string_view>

namespace trackops::inventory::adapters {

// Each returns the pattern that finds `words` anywhere in a text, and "" for no words. Every other
// character stands for itself.
std::string glob_of(std::string_view words);   // for SQLite's GLOB
std::string regex_of(std::string_view words);  // for the operator ~ of PostgreSQL

}  // namespace trackops::inventory::adapters
