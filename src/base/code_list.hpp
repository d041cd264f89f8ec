// A sorted list of codes of equal width, written as one text: "ADAEAF" holds AD, AE and AF.
#pragma once
#include <cstddef>
#include <string_view>

namespace trackops {

// Whether `code` is in the list.
constexpr bool is_listed(std::string_view list, std::size_t width, std::string_view code) {
    if (code.size() != width) return false;
    std::size_t low = 0;
    std::size_t high = list.size() / width;
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        const std::string_view entry = list.substr(middle * width, width);
        if (entry == code) return true;
        if (entry < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

// Whether the codes are sorted, each once, and all of this width.
constexpr bool is_sorted_list(std::string_view list, std::size_t width) {
    for (std::size_t i = width; i < list.size(); i += width) {
        if (!(list.substr(i - width, width) < list.substr(i, width))) return false;
    }
    return list.size() % width == 0;
}

}  // namespace trackops
