#include "platform/json/writer.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "platform/json/escape.hpp"

namespace trackops::json {
namespace {

constexpr std::array<bool, 256> needs_escape = [] {
    std::array<bool, 256> table{};
    for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
    table['"'] = table['\\'] = true;
    return table;
}();

void append_text(std::string& out, std::string_view text) {
    out += '"';
    std::size_t done = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (!needs_escape[c]) continue;
        out.append(text, done, i - done);
        append_escape(out, c);
        done = i + 1;
    }
    out.append(text, done);
    out += '"';
}

template <class Number>
void append_number(std::string& out, Number number) {
    std::array<char, 32> digits;  // the shortest form of a double has at most 24 characters
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

}  // namespace

void Writer::separate() {
    if (out_.size() == start_) return;
    const char last = out_.back();
    if (last != '{' && last != '[' && last != ':') out_ += ',';
}

Writer& Writer::open(char bracket) {
    separate();
    out_ += bracket;
    return *this;
}

Writer& Writer::close(char bracket) {
    out_ += bracket;
    return *this;
}

Writer& Writer::name(std::string_view name) {
    separate();
    append_text(out_, name);
    out_ += ':';
    return *this;
}

Writer& Writer::value(std::string_view text) {
    separate();
    append_text(out_, text);
    return *this;
}

Writer& Writer::value(std::int64_t number) {
    separate();
    append_number(out_, number);
    return *this;
}

Writer& Writer::value(std::uint64_t number) {
    separate();
    append_number(out_, number);
    return *this;
}

Writer& Writer::value(bool truth) { return raw(truth ? "true" : "false"); }

Writer& Writer::value(const Uuid& id) {
    separate();
    out_ += '"';
    id.append_to(out_);
    out_ += '"';
    return *this;
}

Writer& Writer::value(Instant at) {
    separate();
    out_ += '"';
    at.append_to(out_);
    out_ += '"';
    return *this;
}

Writer& Writer::decimal(double number) {
    if (!std::isfinite(number)) return null();
    separate();
    append_number(out_, number);
    return *this;
}

Writer& Writer::null() { return raw("null"); }

Writer& Writer::raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

}  // namespace trackops::json
