// A snapshot of PostgreSQL in its text form, "xmin:xmax:xip,xip".
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trackops::outbox {

struct Snapshot {
    std::string text;
    std::uint64_t xmax = 0;  // the snapshot sees no transaction from here on
    std::string xip;         // transactions below xmax that were open: not seen either
    std::uint64_t xmin = 0;  // every transaction below is seen

    // Whether the snapshot sees the writes of this committed top-level transaction.
    bool sees(std::uint64_t xid) const;
    static std::optional<Snapshot> parse(std::string_view text);
    bool operator==(const Snapshot&) const = default;
};

// Sees nothing; a reader without a checkpoint starts here.
inline constexpr std::string_view snapshot_before_everything = "1:1:";

}  // namespace trackops::outbox
