// Numbers as the text in which a client wrote them. A double holds 17 digits; a text holds all.
// Pure.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace trackops::json {

// Calls `visit` with each number of a JSON text, in order. Strings that hold digits are skipped.
template <class Visit>
void each_number(std::string_view text, const Visit& visit) {
    bool in_string = false;
    for (std::size_t i = 0; i < text.size();) {
        if (in_string && text[i] == '\\') {
            i += 2;
        } else if (text[i] == '"') {
            in_string = !in_string;
            ++i;
        } else if (!in_string && (text[i] == '-' || (text[i] >= '0' && text[i] <= '9'))) {
            const std::size_t end =
                std::min(text.find_first_not_of("+-0123456789.eE", i), text.size());
            visit(text.substr(i, end - i));
            i = end;
        } else {
            ++i;
        }
    }
}

// Returns a JSON number without its exponent and with all of its digits, as PostgreSQL writes a
// jsonb number: "1.50e1" is "15.0", "-0" is "0", and any zero with an exponent is "0". The number
// is one that a double can hold, so the result has at most some 330 characters more.
std::string without_exponent(std::string_view number);

// Returns one text for all forms of a JSON number: "100", "100.0" and "1e2" are "1e2".
std::string canonical_number(std::string_view number);

}  // namespace trackops::json
