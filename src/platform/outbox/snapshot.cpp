#include "platform/outbox/snapshot.hpp"

#include <algorithm>
#include <charconv>

namespace trackops::outbox {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::optional<Snapshot> Snapshot::parse(std::string_view text) {
    const std::size_t first = text.find(':');
    if (first == std::string_view::npos) return std::nullopt;
    const std::size_t second = text.find(':', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    const std::string_view xip = text.substr(second + 1);
    const auto xmin = number(text.substr(0, first));
    const auto xmax = number(text.substr(first + 1, second - first - 1));
    const auto is_list = [](char c) { return (c >= '0' && c <= '9') || c == ','; };
    if (!xmin || !xmax || !std::ranges::all_of(xip, is_list)) return std::nullopt;
    return Snapshot{std::string(text), *xmax, std::string(xip), *xmin};
}

bool Snapshot::sees(std::uint64_t xid) const {
    if (xid < xmin || xid >= xmax) return xid < xmin;
    std::string_view rest = xip;
    while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        if (number(rest.substr(0, comma)) == xid) return false;
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return true;
}

}  // namespace trackops::outbox
