// How this program was built.
#pragma once
#include <string_view>

#include "base/version.hpp"

namespace trackops {

#ifdef __clang__
inline constexpr std::string_view compiler = "clang " __clang_version__;
#else
inline constexpr std::string_view compiler = "g++ " __VERSION__;
#endif

// Returns the commit that the build was told of (the CMake setting TRACKOPS_COMMIT), or "unknown".
std::string_view commit();

}  // namespace trackops
