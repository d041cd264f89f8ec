#include "base/ascii_case.hpp"

#include <algorithm>

namespace trackops {

std::string in_lower_case(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = in_lower_case(c);
    return out;
}

bool equals_in_any_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(
        a, b, [](char left, char right) { return in_lower_case(left) == in_lower_case(right); });
}

bool begins_in_any_case(std::string_view text, std::string_view beginning) {
    return equals_in_any_case(text.substr(0, beginning.size()), beginning);
}

}  // namespace trackops
