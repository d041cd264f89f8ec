// Texts of protocols, in which the case of ASCII letters does not matter. Other bytes stay as they
// are, whatever the locale; texts of people are compared by case_folding.hpp.
#pragma once
#include <string>
#include <string_view>

namespace trackops {

constexpr char in_lower_case(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string in_lower_case(std::string_view text);

bool equals_in_any_case(std::string_view a, std::string_view b);
bool begins_in_any_case(std::string_view text, std::string_view beginning);

}  // namespace trackops
