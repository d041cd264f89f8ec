#include "platform/telemetry/utf8.hpp"

#include <cstdint>

namespace trackops::telemetry {
namespace {

struct Lead {
    std::size_t bytes;  // of the whole character; 0: not a first byte
    // The range of the second byte excludes overlong forms, surrogates and code points above
    // U+10FFFF.
    std::uint8_t second_low;
    std::uint8_t second_high;
};

constexpr Lead lead_of(std::uint8_t byte) {
    if (byte < 0x80) return {1, 0, 0};
    if (byte < 0xC2) return {0, 0, 0};
    if (byte < 0xE0) return {2, 0x80, 0xBF};
    if (byte == 0xE0) return {3, 0xA0, 0xBF};
    if (byte == 0xED) return {3, 0x80, 0x9F};
    if (byte < 0xF0) return {3, 0x80, 0xBF};
    if (byte == 0xF0) return {4, 0x90, 0xBF};
    if (byte < 0xF4) return {4, 0x80, 0xBF};
    if (byte == 0xF4) return {4, 0x80, 0x8F};
    return {0, 0, 0};
}

}  // namespace

Utf8Step first_character(std::string_view text) {
    const Lead lead = lead_of(static_cast<std::uint8_t>(text[0]));
    if (lead.bytes == 0) return {1, false};
    for (std::size_t i = 1; i < lead.bytes; ++i) {
        if (i >= text.size()) return {i, false};
        const auto byte = static_cast<std::uint8_t>(text[i]);
        const std::uint8_t low = i == 1 ? lead.second_low : 0x80;
        const std::uint8_t high = i == 1 ? lead.second_high : 0xBF;
        if (byte < low || byte > high) return {i, false};
    }
    return {lead.bytes, true};
}

std::string valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Utf8Step step = first_character(text);
        out += step.valid ? text.substr(0, step.bytes) : "\uFFFD";
        text.remove_prefix(step.bytes);
    }
    return out;
}

}  // namespace trackops::telemetry
