#include "platform/json/fault_place.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "base/text.hpp"

namespace trackops::json {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Returns the bytes of the character at the start of `text`; 0 if it is not UTF-8.
std::size_t utf8_bytes(std::string_view text) {
    std::string_view rest = text.substr(0, 4);
    const char32_t character = take_character(rest);
    const bool is_surrogate = character >= 0xD800 && character <= 0xDFFF;
    if (is_surrogate || character > 0x10FFFF) return 0;
    std::string again;
    append_character(again, character);
    return text.starts_with(again) ? again.size() : 0;
}

// Walks over a text without recursion, because a text may nest as deep as it is long.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::optional<FaultPlace> find() {
        while (!fault_ && !is_over_) {
            skip_blanks();
            step();
        }
        return fault_;
    }

private:
    enum class Next : unsigned char { value, first_value, name, first_name, after_value };

    char at(std::size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }
    char here() const { return at(at_); }
    bool is_at_end() const { return at_ >= text_.size(); }
    void skip_blanks() {
        while (here() == ' ' || here() == '\t' || here() == '\n' || here() == '\r') ++at_;
    }
    void fail(std::size_t offset, std::string_view detail) {
        if (!fault_) fault_ = FaultPlace{offset, detail};
    }

    void step() {
        const bool closes = !open_.empty() && here() == (open_.back() == '{' ? '}' : ']');
        switch (next_) {
            case Next::first_value:
            case Next::first_name:
                if (closes) return close();
                next_ = next_ == Next::first_name ? Next::name : Next::value;
                return;
            case Next::value:
                return closes ? fail(at_, "a value is missing before the closing bracket")
                              : value();
            case Next::name:
                return closes ? fail(at_, "a comma stands before the closing bracket") : name();
            case Next::after_value:
                return after_value(closes);
        }
    }

    void close() {
        open_.pop_back();
        ++at_;
        next_ = Next::after_value;
    }

    void after_value(bool closes) {
        if (open_.empty()) {
            if (!is_at_end()) fail(at_, "the text goes on behind the end of the value");
            is_over_ = true;
        } else if (closes) {
            close();
        } else if (here() == ',') {
            ++at_;
            next_ = open_.back() == '{' ? Next::name : Next::value;
        } else if (is_at_end()) {
            fail(at_,
                 open_.back() == '{' ? "the text ends before '}'" : "the text ends before ']'");
        } else {
            fail(at_, open_.back() == '{' ? "',' or '}' is expected" : "',' or ']' is expected");
        }
    }

    void name() {
        if (is_at_end()) return fail(at_, "the text ends before '}'");
        if (here() != '"') return fail(at_, "the name of a member is expected, in double quotes");
        string();
        skip_blanks();
        if (here() != ':') return fail(at_, "':' is expected behind the name of a member");
        ++at_;
        next_ = Next::value;
    }

    void value() {
        next_ = Next::after_value;
        const char c = here();
        if (is_at_end()) return fail(at_, "the text ends where a value is expected");
        if (c == '{' || c == '[') {
            open_ += c;
            ++at_;
            next_ = c == '{' ? Next::first_name : Next::first_value;
        } else if (c == '"') {
            string();
        } else if (c == '-' || is_digit(c)) {
            number();
        } else if (!literal()) {
            fail(at_, c == '\'' ? "a string stands in double quotes" : "a value is expected");
        }
    }

    bool literal() {
        for (const std::string_view word : {"true", "false", "null"}) {
            if (!text_.substr(at_).starts_with(word)) continue;
            at_ += word.size();
            return true;
        }
        return false;
    }

    void number() {
        const std::size_t start = at_;
        if (here() == '-') ++at_;
        const bool has_zero = here() == '0';
        if (!skip_digits() || (has_zero && at_ - start > (text_[start] == '-' ? 2U : 1U)))
            return fail(start, "a number begins with a digit and not with a superfluous 0");
        if (here() == '.' && !skip_digits_after(1))
            return fail(start, "a number has a digit behind its point");
        if (here() == 'e' || here() == 'E') {
            const std::size_t sign = at(at_ + 1) == '+' || at(at_ + 1) == '-' ? 1 : 0;
            if (!skip_digits_after(1 + sign))
                return fail(start, "a number has a digit in its exponent");
        }
        const std::string digits(text_.substr(start, at_ - start));
        const double read = std::strtod(digits.c_str(), nullptr);
        const bool is_zero =
            digits.substr(0, digits.find_first_of("eE")).find_first_of("123456789") ==
            std::string::npos;
        if (std::isinf(read)) fail(start, "the number is too large");
        if (read == 0 && !is_zero) fail(start, "the number is too close to 0");
    }

    bool skip_digits() {
        const std::size_t start = at_;
        while (is_digit(here())) ++at_;
        return at_ > start;
    }
    bool skip_digits_after(std::size_t bytes) {
        at_ += bytes;
        return skip_digits();
    }

    void string() {
        const std::size_t start = at_++;
        while (here() != '"') {
            if (is_at_end()) return fail(start, "the string that begins here is not closed");
            const auto c = static_cast<unsigned char>(here());
            if (c < 0x20) return fail(at_, "a string has a line break as \\n and a tab as \\t");
            if (c == '\\') {
                escape();
                if (fault_) return;
            } else {
                const std::size_t bytes = c < 0x80 ? 1 : utf8_bytes(text_.substr(at_));
                if (bytes == 0) return fail(at_, "the bytes here are not UTF-8");
                at_ += bytes;
            }
        }
        ++at_;
    }

    void escape() {
        const std::size_t start = at_;
        if (at(at_ + 1) != 'u') {
            if (std::string_view("\"\\/bfnrt").find(at(at_ + 1)) == std::string_view::npos ||
                at_ + 1 >= text_.size())
                return fail(start, "JSON has no such escape; a backslash itself is \\\\");
            at_ += 2;
            return;
        }
        const auto first = hex_unit();
        if (!first) return fail(start, "\\u has four hex digits behind it");
        if (*first < 0xD800 || *first > 0xDFFF) return;
        const auto second = *first < 0xDC00 && here() == '\\' && at(at_ + 1) == 'u'
                                ? hex_unit()
                                : std::optional<unsigned>();
        if (!second || *second < 0xDC00 || *second > 0xDFFF)
            fail(start, "half of a surrogate pair stands alone");
    }

    std::optional<unsigned> hex_unit() {
        const std::string digits(text_.substr(std::min(at_ + 2, text_.size()), 4));
        if (digits.size() < 4 || !std::ranges::all_of(digits, is_hex)) return std::nullopt;
        at_ += 6;
        return static_cast<unsigned>(std::strtoul(digits.c_str(), nullptr, 16));
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string open_;  // the brackets that are open
    Next next_ = Next::value;
    bool is_over_ = false;
    std::optional<FaultPlace> fault_;
};

}  // namespace

std::optional<FaultPlace> find_fault(std::string_view text) { return Scanner(text).find(); }

std::string place_in_words(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const auto breaks = std::ranges::count(before, '\n');
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return fmt::format("line {}, column {}", breaks + 1,
                       characters_in(before.substr(line_start)) + 1);
}

}  // namespace trackops::json
