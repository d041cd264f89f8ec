// All of a database at once, for who is not in a hurry: `trackops verify`, tests.
#pragma once
#include <functional>

#include "platform/audit/page.hpp"

namespace trackops::audit {

// What became of one invariant.
struct InvariantResult {
    std::string_view invariant;
    std::string_view description;
    std::int64_t checked = 0;  // rows walked along; of one that has no walk: 1
    std::int64_t violations = 0;
    std::vector<Violation> examples;  // the first few
};

inline constexpr std::size_t examples_max = 10;

// Walks through everything, each page in a transaction of its own; what it finds counts when a
// second look at the page, right afterwards, finds the same. One finding an invariant, in order.
// Throws sql::Failure.
std::vector<InvariantResult> check_all(sql::Database& database,
                                       std::span<const Invariant> invariants, const CheckTime& at);

}  // namespace trackops::audit
