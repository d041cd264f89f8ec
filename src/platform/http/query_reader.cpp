#include "platform/http/query_reader.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "base/lenient_instant.hpp"
#include "base/text.hpp"

namespace trackops::http {
namespace {

// Returns "A, B or C".
std::string listed(std::span<const std::string_view> names) {
    std::string list;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) list += i + 1 == names.size() ? " or " : ", ";
        list += names[i];
    }
    return list;
}

// A '+' that was not percent-encoded has become a blank.
std::optional<std::int64_t> signed_number(std::string_view text) {
    const bool has_sign = text.size() > 1 && (text.front() == '+' || text.front() == ' ');
    if (has_sign && text[1] != '-') text.remove_prefix(1);
    return whole_number(text);
}

bool is_in_capitals(std::string_view capitals, std::string_view text) {
    return std::ranges::equal(capitals, text, {}, {}, [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
}

std::optional<std::size_t> index_in(std::span<const std::string_view> names,
                                    std::string_view text) {
    const auto found = std::ranges::find_if(
        names, [text](std::string_view known) { return is_in_capitals(known, text); });
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
}

}  // namespace

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc() || stop != end) return std::nullopt;
    return number;
}

QueryReader::QueryReader(const Request& request, std::initializer_list<std::string_view> known,
                         std::initializer_list<std::string_view> repeatable)
    : request_(request) {
    if (auto checked = check_query(request, known, repeatable); !checked)
        faults_ = checked.error().fields;
}

std::size_t QueryReader::limit() {
    const auto expected = fmt::format("must be a whole number between 1 and {}", page_limit_max);
    const auto given = value("limit", expected, signed_number);
    if (!given) return page_limit_default;
    if (*given >= 1 && *given <= std::int64_t{page_limit_max})
        return static_cast<std::size_t>(*given);
    fault("limit", expected, "range");
    return page_limit_default;
}

std::optional<std::string> QueryReader::text(std::string_view name, std::size_t characters_max) {
    const std::string_view text = trimmed(request_.query_value(name).value_or(""));
    if (text.empty()) return std::nullopt;
    if (characters_in(text) > characters_max) {
        fault(name, fmt::format("must have at most {} characters", characters_max), "length");
        return std::nullopt;
    }
    return std::string(text);
}

std::optional<std::size_t> QueryReader::choice(std::string_view name,
                                               std::span<const std::string_view> names) {
    return value(name, "must be " + listed(names),
                 [names](std::string_view text) { return index_in(names, text); });
}

std::vector<std::size_t> QueryReader::choices(std::string_view name,
                                              std::span<const std::string_view> names) {
    std::set<std::size_t> chosen;
    bool is_known = true;
    for (const auto& [given, value] : request_.query) {
        if (given != name) continue;
        std::string_view rest = value;
        while (!rest.empty()) {
            const std::string_view word = rest.substr(0, rest.find(','));
            rest.remove_prefix(std::min(word.size() + 1, rest.size()));
            const std::string_view text = trimmed(word);
            if (text.empty()) continue;
            const auto index = index_in(names, text);
            if (index) chosen.insert(*index);
            is_known = is_known && index;
        }
    }
    if (!is_known) fault(name, "must be one or more of " + listed(names), "format");
    return {chosen.begin(), chosen.end()};
}

std::optional<Instant> QueryReader::time(std::string_view name) {
    return value(name,
                 "must be a time with its offset, such as 2026-11-30T18:00:00Z, or a date, such as "
                 "2026-11-30",
                 parse_leniently);
}

void QueryReader::fault(std::string_view name, std::string_view detail, std::string_view code) {
    faults_.push_back({std::string(name), std::string(detail), std::string(code)});
}

}  // namespace trackops::http
