// The forms in which people and URLs write a time.
#pragma once
#include <optional>
#include <string_view>

#include "base/instant.hpp"

namespace trackops {

// As Instant::parse(), and takes three more forms: a date alone is its midnight in UTC, a blank
// before the offset is the + that it was before the URL was decoded, and a leap second is the
// second after it.
std::optional<Instant> parse_leniently(std::string_view text);

}  // namespace trackops
