// Shared by all fuzz targets: checks that end the run when they fail, and functions that take parts
// off the input.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace trackops::fuzz {

// Aborts when `kept` is false, so that libFuzzer saves the input.
inline void promise(bool kept, std::string_view what) {
    if (kept) return;
    std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return {};
    return {reinterpret_cast<const char*>(data), size};
}

// Removes and returns the text before the separator, and removes the separator too. Takes
// everything if there is none.
inline std::string_view take_until(std::string_view& rest, char separator) {
    const std::size_t end = std::min(rest.find(separator), rest.size());
    const std::string_view taken = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return taken;
}
inline std::string_view take_line(std::string_view& rest) { return take_until(rest, '\n'); }

// Removes the first byte and returns it as a number below `count`. In seeds the letter 'a' is 0.
inline std::size_t take_choice(std::string_view& rest, std::size_t count) {
    if (rest.empty()) return 0;
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    return static_cast<std::size_t>(byte + 256 - 'a') % 256 % count;
}

}  // namespace trackops::fuzz
