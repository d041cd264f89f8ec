#include "platform/audit/everything.hpp"

#include <algorithm>
#include <utility>

namespace trackops::audit {
namespace {

void count(std::vector<Finding>& findings, Violation violation) {
    const auto finding = std::ranges::find(findings, violation.invariant, &Finding::invariant);
    ++finding->violations;
    if (finding->examples.size() < examples_max) finding->examples.push_back(std::move(violation));
}

}  // namespace

std::vector<Finding> look_at_everything(sql::Database& database,
                                        std::span<const Invariant> invariants, const Moment& at) {
    std::vector<Finding> findings;
    for (const Invariant& invariant : invariants)
        findings.push_back({.invariant = invariant.name, .sentence = invariant.sentence});
    for (const Walk* const walk : walks_of(invariants)) {
        std::int64_t rows = walk == nullptr ? 1 : 0;
        Page page{.range = {{}, start_of(walk)}};
        while (!page.is_last) {
            page = read_page(database, invariants, walk, page.range.to, at);
            rows += page.rows;
            if (page.violations.empty()) continue;
            const auto still = read_again(database, invariants, walk, page.range, at);
            for (Violation& violation : page.violations) {
                if (std::ranges::find(still, violation) != still.end())
                    count(findings, std::move(violation));
            }
        }
        for (std::size_t i = 0; i < invariants.size(); ++i) {
            if (invariants[i].walk == walk) findings[i].checked = rows;
        }
    }
    return findings;
}

}  // namespace trackops::audit
