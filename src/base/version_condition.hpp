// The versions of a resource to which a request applies: the meaning of If-Match and If-None-Match
// (RFC 9110, section 13.1).
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace trackops {

// By default every version.
struct VersionCondition {
    std::optional<std::vector<std::int64_t>> only;  // if set, only these versions
    std::vector<std::int64_t> except;
    bool must_not_exist = false;  // no version at all

    // Returns whether the request applies to the resource in this version.
    bool holds_for(std::int64_t version) const;
    bool operator==(const VersionCondition&) const = default;
};

}  // namespace trackops
