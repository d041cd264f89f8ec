#include "platform/audit/check_all.hpp"

#include <algorithm>
#include <utility>

namespace trackops::audit {
namespace {

void count(std::vector<InvariantResult>& findings, Violation violation) {
    const auto finding =
        std::ranges::find(findings, violation.invariant, &InvariantResult::invariant);
    ++finding->violations;
    if (finding->examples.size() < examples_max) finding->examples.push_back(std::move(violation));
}

}  // namespace

std::vector<InvariantResult> check_all(sql::Database& database,
                                       std::span<const Invariant> invariants, const CheckTime& at) {
    std::vector<InvariantResult> findings;
    for (const Invariant& invariant : invariants)
        findings.push_back({.invariant = invariant.name, .description = invariant.description});
    for (const Scan* const scan : scans_of(invariants)) {
        std::int64_t rows = scan == nullptr ? 1 : 0;
        Page page{.range = {{}, start_of(scan)}};
        while (!page.is_last) {
            page = read_page(database, invariants, scan, page.range.to, at);
            rows += page.rows;
            if (page.violations.empty()) continue;
            const auto still = reread_page(database, invariants, scan, page.range, at);
            for (Violation& violation : page.violations) {
                if (std::ranges::find(still, violation) != still.end())
                    count(findings, std::move(violation));
            }
        }
        for (std::size_t i = 0; i < invariants.size(); ++i) {
            if (invariants[i].scan == scan) findings[i].checked = rows;
        }
    }
    return findings;
}

}  // namespace trackops::audit
