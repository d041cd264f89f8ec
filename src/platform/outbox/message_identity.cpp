#include "platform/outbox/message_identity.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <openssl/evp.h>

namespace trackops::outbox {
namespace {

constexpr std::size_t name_bytes_max = 128;

bool is_printable(char c) { return c >= 0x20 && c <= 0x7e; }

// The length of the source stands before both, so that no two pairs have the same text.
Uuid hashed(std::string_view source, std::string_view id) {
    std::string text = std::to_string(source.size()) + ':';
    text.append(source).append(id);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("SHA-256 is not available");
    Uuid uuid;
    std::copy_n(digest.begin(), uuid.bytes.size(), uuid.bytes.begin());
    uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0fU) | 0x80U);  // version 8
    uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3fU) | 0x80U);  // RFC 9562
    return uuid;
}

}  // namespace

std::optional<MessageIdentity> identity_of(std::string_view source, std::string_view id) {
    if (id.empty()) return std::nullopt;
    if (const auto uuid = Uuid::parse(id)) return MessageIdentity{*uuid, uuid->text()};
    const Uuid claim = hashed(source, id);
    const bool is_plain = id.size() <= name_bytes_max && std::ranges::all_of(id, is_printable);
    return MessageIdentity{claim, is_plain ? std::string(id) : claim.text()};
}

}  // namespace trackops::outbox
