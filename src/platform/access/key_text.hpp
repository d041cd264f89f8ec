// The text of a service key, which its owner sends with each request: trk_<id>_<secret>, 62
// characters. The id says which key it is and is no secret. The secret ends in a checksum, which
// tells a typo from a wrong key, and a key that leaked into a file from a text that looks like one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "platform/access/digest.hpp"

namespace trackops::access {

inline constexpr std::string_view key_prefix = "trk_";
inline constexpr std::size_t key_id_size = 8;
inline constexpr std::size_t key_random_size = 43;  // letters and digits: 256 bits of chance
inline constexpr std::size_t key_checksum_size = 6;
inline constexpr std::size_t key_text_size =
    key_prefix.size() + key_id_size + 1 + key_random_size + key_checksum_size;

struct KeyText {
    std::string_view id;
    std::string_view random;  // the secret without its checksum
};
enum class KeyFault : std::uint8_t {
    form,      // it does not look like a key
    checksum,  // it looks like a key, but is mistyped or cut
};
// Parses the text of a key. The result points into `text`. Looks at every character of a text that
// has the length of a key, and compares none of them with a secret.
std::expected<KeyText, KeyFault> parse_key_text(std::string_view text);

bool is_key_id(std::string_view text);
// The digest by which the access file knows the key. Its input has 256 bits of chance, so it needs
// neither salt nor a slow hash.
Digest digest_of(const KeyText& key);

struct NewKey {
    std::string id;
    Secret text;
    Digest digest;
};
// Makes a key from the chance of the kernel.
NewKey make_key();

}  // namespace trackops::access
