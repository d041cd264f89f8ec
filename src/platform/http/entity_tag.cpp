#include "platform/http/entity_tag.hpp"

#include <fmt/format.h>

#include "platform/http/query_reader.hpp"

namespace trackops::http {

std::string entity_tag(std::int64_t version) { return fmt::format("\"{}\"", version); }

Result<std::optional<std::int64_t>> read_if_match(const Request& request, std::string_view thing) {
    const auto header = request.header("if-match");
    if (!header || *header == "*") return std::optional<std::int64_t>();
    if (header->size() > 2 && header->front() == '"' && header->back() == '"') {
        if (const auto version = whole_number(header->substr(1, header->size() - 2)))
            return version;
    }
    return fail(Errc::precondition_failed,
                fmt::format("If-Match names no version of this {}", thing));
}

}  // namespace trackops::http
