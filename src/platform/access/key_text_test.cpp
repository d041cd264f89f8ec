#include "platform/access/key_text.hpp"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "base/hex.hpp"

namespace trackops::access {
namespace {

// Returns the fault of a text; nothing for a key.
std::optional<KeyFault> fault_of(std::string_view text) {
    const auto parsed = parse_key_text(text);
    if (parsed) return std::nullopt;
    return parsed.error();
}

TEST(Digest, IsSha256) {
    // From FIPS 180-2.
    EXPECT_EQ(hex(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(parse_digest(hex(sha256("abc"))), sha256("abc"));
    EXPECT_FALSE(parse_digest(""));
    EXPECT_FALSE(parse_digest(std::string(63, 'a')));
    EXPECT_FALSE(parse_digest(std::string(65, 'a')));
    EXPECT_FALSE(parse_digest(std::string(63, 'a') + "g"));
    EXPECT_FALSE(parse_digest(std::string(64, 'A')));
}

TEST(Digest, IsComparedAsAWholeWhereverTheDifferenceIs) {
    const Digest right = sha256("abc");
    for (std::size_t i = 0; i <= right.size(); ++i) {
        Digest given = right;
        if (i < given.size()) given[i] ^= 1U;
        const std::size_t before = compared_bytes();
        EXPECT_EQ(is_same(given, right), i == right.size()) << i;
        EXPECT_EQ(compared_bytes() - before, right.size()) << i;
    }
}

TEST(KeyText, IsReadBack) {
    const NewKey key = make_key();
    const std::string& text = key.text.reveal();
    EXPECT_EQ(text.size(), key_text_size);
    EXPECT_EQ(text.size(), 62u);
    EXPECT_TRUE(text.starts_with("trk_" + key.id + "_")) << text;
    EXPECT_TRUE(is_key_id(key.id)) << key.id;
    const auto parsed = parse_key_text(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->id, key.id);
    EXPECT_EQ(parsed->random.size(), 43u);
    EXPECT_EQ(digest_of(*parsed), key.digest);
    EXPECT_EQ(key.digest, sha256(parsed->random));
}

// Keys of another version must stay valid.
TEST(KeyText, IsReadAsItWasMadeOnce) {
    const auto parsed =
        parse_key_text("trk_7Rk2mPq9_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789aBcDeFg38pwTY");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->id, "7Rk2mPq9");
    EXPECT_EQ(parsed->random, "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789aBcDeFg");
}

TEST(KeyText, OfTwoKeysHasNothingInCommon) {
    std::set<std::string> ids;
    std::set<std::string> characters;
    std::set<Digest> digests;
    for (int i = 0; i < 200; ++i) {
        const NewKey key = make_key();
        ids.insert(key.id);
        digests.insert(key.digest);
        const auto parsed = parse_key_text(key.text.reveal());
        for (const char c : parsed->random) characters.insert(std::string(1, c));
    }
    EXPECT_EQ(ids.size(), 200u);
    EXPECT_EQ(digests.size(), 200u);
    EXPECT_EQ(characters.size(), 62u);  // all letters and digits are drawn
}

TEST(KeyText, TellsEveryTypoFromAKey) {
    const NewKey key = make_key();
    const std::string& text = key.text.reveal();
    for (std::size_t i = key_prefix.size(); i < text.size(); ++i) {
        std::string typo = text;
        typo[i] = typo[i] == 'x' ? 'y' : 'x';
        EXPECT_EQ(fault_of(typo), KeyFault::checksum) << i;
        if (i + 1 < text.size() && text[i] != text[i + 1]) {
            std::string swapped = text;
            std::swap(swapped[i], swapped[i + 1]);
            EXPECT_EQ(fault_of(swapped), KeyFault::checksum) << i;
        }
    }
    for (std::size_t size = key_prefix.size(); size < text.size(); ++size)
        EXPECT_EQ(fault_of(text.substr(0, size)), KeyFault::checksum) << size;
    EXPECT_EQ(fault_of(text + "0"), KeyFault::checksum);
}

TEST(KeyText, TellsWhatIsNoKeyAtAll) {
    const std::string text = make_key().text.reveal();
    for (const std::string& other :
         {std::string(), std::string("trk"), std::string("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"),
          text + " ", " " + text, "TRK_" + text.substr(4),
          text.substr(0, 20) + "-" + text.substr(21),
          text.substr(0, 20) + std::string(1, '\0') + text.substr(21)})
        EXPECT_EQ(fault_of(other), KeyFault::form) << other;
}

}  // namespace
}  // namespace trackops::access
