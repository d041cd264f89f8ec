#include "order/adapters/read_metadata.hpp"

#include <fmt/format.h>

namespace trackops::order::adapters {
namespace {

using json::Value;

constexpr std::size_t metadata_bytes_max = 16 * 1024;

bool holds_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// Whether a text or a member name contains U+0000, at any depth. The parser bounds the depth.
bool holds_nul(Value value) {
    bool found = holds_nul(value.text().value_or(""));
    value.each_member([&found](std::string_view name, Value member) {
        found = found || holds_nul(name) || holds_nul(member);
    });
    value.each_element(
        [&found](std::size_t, Value element) { found = found || holds_nul(element); });
    return found;
}

}  // namespace

std::optional<std::string> read_metadata(json::ObjectReader& in) {
    const auto value = in.object("metadata", false);
    if (!value || !in.has("metadata")) return std::nullopt;
    std::string text = value->minified(metadata_bytes_max);
    if (text.size() > metadata_bytes_max) {
        in.fault("metadata",
                 fmt::format("must not be longer than {} bytes without blanks and with its numbers "
                             "written out",
                             metadata_bytes_max),
                 "length");
    } else if (holds_nul(*value)) {  // jsonb in PostgreSQL cannot store it
        in.fault("metadata", "must not contain U+0000", "format");
    }
    return text;
}

}  // namespace trackops::order::adapters
