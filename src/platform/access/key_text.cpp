#include "platform/access/key_text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sodium/randombytes.h>

#include "platform/access/sodium.hpp"

namespace trackops::access {
namespace {

constexpr std::string_view alphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static_assert(alphabet.size() == 62);

constexpr bool is_in_alphabet(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
static_assert(std::ranges::all_of(alphabet, is_in_alphabet));

// The table of CRC-32 (IEEE 802.3), whose polynomial is 0xEDB88320 with its bits reversed.
constexpr auto crc_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = (value & 1U) != 0 ? 0xEDB88320U ^ (value >> 1U) : value >> 1U;
        table[i] = value;
    }
    return table;
}();

constexpr std::uint32_t crc32(std::string_view text) {
    std::uint32_t value = 0xFFFFFFFFU;
    for (const char c : text) {
        const std::uint32_t index = (value ^ static_cast<std::uint8_t>(c)) & 0xFFU;
        value = crc_table[index] ^ (value >> 8U);
    }
    return value ^ 0xFFFFFFFFU;
}
static_assert(crc32("123456789") == 0xCBF43926U);  // the check value of the standard

// The checksum of everything before it, in the alphabet.
std::string checksum(std::string_view text) {
    std::string out(key_checksum_size, alphabet.front());
    std::uint32_t left = crc32(text);
    for (std::size_t i = key_checksum_size; i > 0; --i) {
        out[i - 1] = alphabet[left % alphabet.size()];
        left /= alphabet.size();
    }
    return out;
}

std::string random_text(std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = alphabet[randombytes_uniform(alphabet.size())];
    return text;
}

}  // namespace

bool is_key_id(std::string_view text) {
    return text.size() == key_id_size && std::ranges::all_of(text, is_in_alphabet);
}

std::expected<KeyText, KeyFault> parse_key_text(std::string_view text) {
    if (!text.starts_with(key_prefix)) return std::unexpected(KeyFault::form);
    const std::string_view rest = text.substr(key_prefix.size());
    const auto is_of_key = [](char c) { return is_in_alphabet(c) || c == '_'; };
    if (!std::ranges::all_of(rest, is_of_key)) return std::unexpected(KeyFault::form);
    if (text.size() != key_text_size || rest[key_id_size] != '_' ||
        !is_key_id(rest.substr(0, key_id_size)))
        return std::unexpected(KeyFault::checksum);
    const std::string_view before = text.substr(0, key_text_size - key_checksum_size);
    if (checksum(before) != text.substr(before.size())) return std::unexpected(KeyFault::checksum);
    return KeyText{rest.substr(0, key_id_size), rest.substr(key_id_size + 1, key_random_size)};
}

Digest digest_of(const KeyText& key) { return sha256(key.random); }

NewKey make_key() {
    start_sodium();
    NewKey key{.id = random_text(key_id_size), .text = {}, .digest = {}};
    const Secret random(random_text(key_random_size));
    key.digest = digest_of({key.id, random.reveal()});
    std::string text = fmt::format("{}{}_{}", key_prefix, key.id, random.reveal());
    text += checksum(text);
    key.text = Secret(std::move(text));
    return key;
}

}  // namespace trackops::access
