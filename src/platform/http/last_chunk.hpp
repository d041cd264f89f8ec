// A guard of Beast's parser.
#pragma once
#include <string_view>

namespace trackops::http {

// Returns true for the first bytes of what may become the last chunk of a body ("0\r\n\r\n").
// Beast's parser must not see them before there are more: when a last chunk of fewer than five
// bytes grows, an assertion of the parser ends the process. Only the first chunk of a body can be
// so short; a later one begins with the line break of the chunk before it.
constexpr bool is_unfinished_last_chunk(std::string_view unparsed) {
    constexpr std::string_view shortest = "0\r\n\r\n";
    return unparsed.starts_with('0') && unparsed.size() < shortest.size();
}

}  // namespace trackops::http
