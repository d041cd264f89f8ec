// Checks all invariants of a database in one go, for `trackops verify` and tests.
#pragma once
#include <functional>

#include "platform/audit/page.hpp"

namespace trackops::audit {

// The result of one invariant.
struct InvariantResult {
    std::string_view invariant;
    std::string_view description;
    std::int64_t checked = 0;  // rows scanned; 1 for an invariant without a scan
    std::int64_t violations = 0;
    std::vector<Violation> examples;  // the first few
};

inline constexpr std::size_t examples_max = 10;

// Reads every page, each in its own transaction. A violation counts if a second read of its page,
// right afterwards, finds it unchanged. Returns one result for each invariant, in order. Throws
// sql::Failure.
std::vector<InvariantResult> check_all(sql::Database& database,
                                       std::span<const Invariant> invariants, const CheckTime& at);

}  // namespace trackops::audit
