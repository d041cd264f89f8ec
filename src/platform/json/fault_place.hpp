// Finds the place in a text at which it stops being JSON, for the person who has to mend it. Pure.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trackops::json {

struct FaultPlace {
    std::size_t offset = 0;   // in bytes
    std::string_view detail;  // what is wrong there
};

// Returns the first place at which `text` breaks the grammar of RFC 8259, is not UTF-8, or has a
// number that a double cannot hold; nothing if there is none. Takes any text, of any depth.
std::optional<FaultPlace> find_fault(std::string_view text);

// Returns "line 3, column 14": both count from 1, a column in characters.
std::string place_in_words(std::string_view text, std::size_t offset);

}  // namespace trackops::json
