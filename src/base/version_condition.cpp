#include "base/version_condition.hpp"

#include <algorithm>

namespace trackops {

bool VersionCondition::holds_for(std::int64_t version) const {
    const auto in = [version](const std::vector<std::int64_t>& versions) {
        return std::ranges::find(versions, version) != versions.end();
    };
    return !must_not_exist && (!only || in(*only)) && !in(except);
}

}  // namespace trackops
