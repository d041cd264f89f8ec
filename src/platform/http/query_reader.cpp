#include "platform/http/query_reader.hpp"

#include <charconv>

#include <fmt/format.h>

namespace trackops::http {

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc() || stop != end) return std::nullopt;
    return number;
}

QueryReader::QueryReader(const Request& request, std::initializer_list<std::string_view> known)
    : request_(request) {
    if (auto checked = check_query(request, known); !checked) faults_ = checked.error().fields;
}

std::size_t QueryReader::limit() {
    const auto expected = fmt::format("must be between 1 and {}", page_limit_max);
    const auto given = value("limit", expected, whole_number);
    if (!given) return page_limit_default;
    if (*given >= 1 && *given <= std::int64_t{page_limit_max})
        return static_cast<std::size_t>(*given);
    fault("limit", expected, "range");
    return page_limit_default;
}

void QueryReader::fault(std::string_view name, std::string_view detail, std::string_view code) {
    faults_.push_back({std::string(name), std::string(detail), std::string(code)});
}

}  // namespace trackops::http
