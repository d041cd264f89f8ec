// PostgreSQL's text of a snapshot, "xmin:xmax:xip,xip": what a reader may and may not yet have
// seen.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trackops::outbox {

struct Snapshot {
    std::string text;
    std::uint64_t xmax = 0;  // no transaction from here on is in it
    std::string xip;         // those below xmax that were under way: not in it either
    std::uint64_t xmin = 0;  // every transaction below is in it

    // Whether it sees what this (top-level) transaction wrote and committed.
    bool sees(std::uint64_t xid) const;
    static std::optional<Snapshot> parse(std::string_view text);
    bool operator==(const Snapshot&) const = default;
};

// Sees nothing: where a reader without a checkpoint starts.
inline constexpr std::string_view snapshot_before_everything = "1:1:";

}  // namespace trackops::outbox
