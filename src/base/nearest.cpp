#include "base/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "base/ascii_case.hpp"

namespace trackops {
namespace {

constexpr std::size_t edits_max = 2;
constexpr std::size_t typed_bytes_max = 100;  // a longer text is no typing mistake

// Returns the optimal string alignment distance: Levenshtein's distance with a swap of neighbours
// as one edit.
std::size_t edits(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> table(a.size() + 1,
                                                std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                table[i][j] = i + j;
                continue;
            }
            table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1,
                                    table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
            }
        }
    }
    return table[a.size()][b.size()];
}

// Returns the name in small letters, without '_' and '-'.
std::string letters_of(std::string_view name) {
    std::string letters;
    for (const char c : name) {
        if (c != '_' && c != '-') letters += in_lower_case(c);
    }
    return letters;
}

}  // namespace

std::optional<std::string_view> nearest_name(std::string_view typed,
                                             std::span<const std::string_view> names) {
    if (typed.empty() || typed.size() > typed_bytes_max) return std::nullopt;
    const std::string letters = letters_of(typed);
    const auto same = std::ranges::find(names, letters, letters_of);
    if (same != names.end()) return *same;
    std::optional<std::string_view> nearest;
    std::size_t fewest = edits_max + 1;
    for (const std::string_view name : names) {
        const std::size_t longer = std::max(typed.size(), name.size());
        if (longer - std::min(typed.size(), name.size()) > edits_max)
            continue;  // also keeps the table small
        const std::size_t count = edits(typed, name);
        if (count >= fewest || count * 2 >= name.size()) continue;
        fewest = count;
        nearest = name;
    }
    return nearest;
}

std::string known_names(std::span<const std::string_view> names) {
    std::string text = "known are";
    for (std::size_t i = 0; i < names.size(); ++i) {
        text += i == 0 ? " " : ", ";
        text += names[i];
    }
    return text;
}

}  // namespace trackops
