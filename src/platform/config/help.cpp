#include "platform/config/help.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "platform/config/kind.hpp"
#include "platform/url/mask.hpp"

namespace trackops::config {
namespace {

constexpr std::size_t width_max = 100;

std::string left_column(const Setting& row) {
    constexpr auto placeholders =
        std::to_array<std::string_view>({" TEXT", " NUMBER", " DURATION"});
    if (row.kind == Kind::flag) return fmt::format("  --[no-]{}  ", row.name);
    return fmt::format("  --{}{}  ", row.name, placeholders.at(static_cast<std::size_t>(row.kind)));
}

std::string right_column(const Setting& row) {
    const std::string bounds = bounds_text(row);
    std::vector<std::string> notes;
    if (!bounds.empty()) notes.push_back(bounds);
    if (!row.default_value.empty())
        notes.push_back(fmt::format(
            "default {}", row.secret ? url::masked(row.default_value) : row.default_value));
    if (row.secret) notes.push_back("secret");
    return notes.empty() ? std::string(row.help)
                         : fmt::format("{} ({})", row.help, fmt::join(notes, ", "));
}

// Appends the words of `text`. A word that would pass the margin starts a new line with `indent`
// spaces.
void append_wrapped(std::string& out, std::size_t indent, std::string_view text) {
    std::size_t column = indent;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        if (column > indent && column + 1 + word.size() > width_max) {
            out += '\n';
            out.append(indent, ' ');
            column = indent;
        } else if (column > indent) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        text.remove_prefix(std::min(text.size(), word.size() + 1));
    }
    out += '\n';
}

}  // namespace

std::string help(std::span<const Setting> table) {
    std::size_t indent = 0;
    for (const Setting& row : table) indent = std::max(indent, left_column(row).size());
    std::string out;
    for (const Setting& row : table) {
        const std::string left = left_column(row);
        out += left;
        out.append(indent - left.size(), ' ');
        append_wrapped(out, indent, right_column(row));
    }
    out += '\n';
    append_wrapped(
        out, 0,
        "Each can also be given in the environment: --some-name as TRACKOPS_SOME_NAME, a secret "
        "also as TRACKOPS_SOME_NAME_FILE, "
        "which names a file that holds it; --otel-name as OTEL_NAME. Durations are written 250ms, "
        "30s, 15m, 24h, 7d.");
    return out;
}

std::string print(std::span<const Setting> table, const Values& values) {
    std::string out;
    for (const Setting& row : table) {
        const Values::SettingValue& given = values.values.find(row.name)->second;
        out += fmt::format("{} = {} ({})\n", row.name, given.shown(), given.source);
    }
    return out;
}

}  // namespace trackops::config
