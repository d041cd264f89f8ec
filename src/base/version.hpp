#pragma once
#include <string_view>

namespace trackops {

inline constexpr std::string_view version = "0.1.0";  // also in CHANGELOG.md and CMakeLists.txt

}  // namespace trackops
