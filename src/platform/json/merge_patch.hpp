// JSON merge patch (RFC 7396). Pure.
#pragma once
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace trackops::json {

// Returns `target` changed as `patch` says, as JSON text without blanks: a member that is null in
// the patch is removed, objects are merged, and everything else is replaced. Both are JSON texts.
// Errors: as Document::parse(), of either text.
Result<std::string> merge_patch(std::string_view target, std::string_view patch);

}  // namespace trackops::json
