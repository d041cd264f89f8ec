#include "platform/config/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace trackops::config {
namespace {

constexpr std::size_t edits_max = 2;

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

}  // namespace

std::optional<std::string> nearest_name(std::string_view typed,
                                        std::span<const std::string> names) {
    std::optional<std::string> nearest;
    std::size_t fewest = edits_max + 1;
    for (const std::string& name : names) {
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

}  // namespace trackops::config
