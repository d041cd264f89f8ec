// Tests that a secret cannot be shown and leaves nothing behind.
#include "base/secret.hpp"

#include <array>
#include <concepts>
#include <memory>
#include <ostream>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace trackops {
namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(fmt::is_formattable<std::string>::value);  // the question itself works
static_assert(!fmt::is_formattable<Secret>::value);
static_assert(Streamable<std::string>);
static_assert(!Streamable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>);
static_assert(!std::equality_comparable<Secret>);

TEST(Secret, IsRevealedOnDemandOnly) {
    const Secret secret("hunter2");
    EXPECT_EQ(secret.reveal(), "hunter2");
    EXPECT_FALSE(secret.empty());
    EXPECT_TRUE(Secret().empty());
    const Secret copy = secret;
    EXPECT_EQ(copy.reveal(), "hunter2");
}

// The memory in which a secret stood. A short text stands in the object itself, so these bytes can
// be read after the object is gone.
class Place {
public:
    Secret& make(std::string text) {
        return *std::construct_at(reinterpret_cast<Secret*>(bytes_.data()), std::move(text));
    }
    bool holds(std::string_view text) const {
        const std::string_view all(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
        return all.find(text) != std::string_view::npos;
    }

private:
    alignas(Secret) std::array<std::byte, sizeof(Secret)> bytes_{};
};

TEST(Secret, IsWipedWhenItIsDestroyed) {
    Place place;
    Secret& secret = place.make("hunter2");
    ASSERT_TRUE(place.holds("hunter2"));
    std::destroy_at(&secret);
    EXPECT_FALSE(place.holds("unter2"));
}

TEST(Secret, IsWipedWhereItWasMovedFrom) {
    Place place;
    Secret& secret = place.make("hunter2");
    const Secret moved = std::move(secret);
    EXPECT_EQ(moved.reveal(), "hunter2");
    EXPECT_FALSE(place.holds("unter2"));
    std::destroy_at(&secret);
}

TEST(Secret, IsWipedWhenItIsOverwritten) {
    Place place;
    Secret& secret = place.make("hunter2");
    secret = Secret("x");
    EXPECT_EQ(secret.reveal(), "x");
    EXPECT_FALSE(place.holds("unter2"));
    std::destroy_at(&secret);
}

}  // namespace
}  // namespace trackops
