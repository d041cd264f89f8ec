#include "platform/outbox/snapshot.hpp"

#include <algorithm>
#include <charconv>

namespace trackops::outbox {

std::optional<Snapshot> Snapshot::parse(std::string_view text) {
    const std::size_t first = text.find(':');
    if (first == std::string_view::npos) return std::nullopt;
    const std::size_t second = text.find(':', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    const std::string_view xmax = text.substr(first + 1, second - first - 1);
    const std::string_view xip = text.substr(second + 1);
    Snapshot snapshot{std::string(text), 0, std::string(xip)};
    const auto [end, fault] =
        std::from_chars(xmax.data(), xmax.data() + xmax.size(), snapshot.xmax);
    const auto is_list = [](char c) { return (c >= '0' && c <= '9') || c == ','; };
    if (fault != std::errc{} || end != xmax.data() + xmax.size() ||
        !std::ranges::all_of(xip, is_list)) {
        return std::nullopt;
    }
    return snapshot;
}

}  // namespace trackops::outbox
