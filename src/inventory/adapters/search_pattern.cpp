#include "inventory/adapters/search_pattern.hpp"

#include "base/case_folding.hpp"
#include "base/text.hpp"

namespace trackops::inventory::adapters {
namespace {

bool is_ascii_mark(char32_t character) {
    const bool is_letter =
        (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
    const bool is_digit = character >= '0' && character <= '9';
    return character > ' ' && character < 0x7F && !is_letter && !is_digit;
}

// Appends a letter as the set of its cases, and any other character with `append_plain`.
template <class AppendPlain>
std::string pattern_of(std::string_view words, AppendPlain append_plain) {
    std::string pattern;
    while (!words.empty()) {
        const char32_t character = take_character(words);
        const auto variants = case_variants(character);
        if (variants.size() == 1) {
            append_plain(pattern, character);
            continue;
        }
        pattern += '[';
        for (const char32_t variant : variants) append_character(pattern, variant);
        pattern += ']';
    }
    return pattern;
}

}  // namespace

std::string glob_of(std::string_view words) {
    if (words.empty()) return {};
    return '*' +
           pattern_of(words,
                      [](std::string& pattern, char32_t character) {
                          const bool has_meaning =
                              character == '*' || character == '?' || character == '[';
                          if (has_meaning) pattern += '[';
                          append_character(pattern, character);
                          if (has_meaning) pattern += ']';
                      }) +
           '*';
}

std::string regex_of(std::string_view words) {
    return pattern_of(words, [](std::string& pattern, char32_t character) {
        if (is_ascii_mark(character)) pattern += '\\';
        append_character(pattern, character);
    });
}

}  // namespace trackops::inventory::adapters
