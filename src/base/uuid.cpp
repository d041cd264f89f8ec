#include "base/uuid.hpp"

#include "base/hex.hpp"

namespace trackops {
namespace {

constexpr bool dash_before(std::size_t byte) {
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    Uuid id;
    std::size_t at = 0;
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        if (dash_before(i) && text[at++] != '-') return std::nullopt;
        if (!read_hex_byte(text.data() + at, id.bytes[i])) return std::nullopt;
        at += 2;
    }
    return id;
}

void Uuid::append_to(std::string& out) const {
    std::array<char, 36> text;
    char* at = text.data();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (dash_before(i)) *at++ = '-';
        at = write_hex_byte(bytes[i], at);
    }
    out.append(text.data(), text.size());
}

std::string Uuid::text() const {
    std::string out;
    append_to(out);
    return out;
}

Uuid uuid_v7(Instant now, std::uint64_t high, std::uint64_t low) {
    Uuid id;
    const auto ms = static_cast<std::uint64_t>(now.micros / 1000);
    for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
    id.bytes[6] = static_cast<std::uint8_t>(0x70 | ((high >> 8) & 0x0f));
    id.bytes[7] = static_cast<std::uint8_t>(high);
    for (std::size_t i = 8; i < 16; ++i)
        id.bytes[i] = static_cast<std::uint8_t>(low >> (120 - 8 * i));
    id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

}  // namespace trackops
