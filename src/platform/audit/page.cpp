#include "platform/audit/page.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace trackops::audit {
namespace {

constexpr Instant distant_past{-62'135'596'800'000'000};  // year 1: no work was due before it

// A range may be one page or nearly the whole table, so each execution gets its own plan.
constexpr sql::Query plan_each{.name = "audit.plan_each", .text = "SELECT 1", .postgres = R"sql(
    SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_mergejoin', 'on', true),
           set_config('enable_hashjoin', 'on', true)
)sql"};

// A statement that reads whole tables must not look up one row after the other. PostgreSQL gives a
// disabled scan such a high cost that it no longer sees which join is more expensive.
constexpr sql::Query allow_scans{.name = "audit.allow_scans", .text = "SELECT 1", .postgres = R"sql(
    SELECT set_config('enable_seqscan', 'on', true)
)sql"};

sql::Value end_of(const Scan* scan) {
    if (scan == nullptr) return {};
    switch (scan->key) {
        case KeyKind::uuid: {
            Uuid last;
            last.bytes.fill(0xff);
            return last;
        }
        case KeyKind::text:
            return "\xf4\x8f\xbf\xbf";  // the last code point
        case KeyKind::integer:
            break;
    }
    return std::numeric_limits<std::int64_t>::max();
}

sql::Value key_of(const sql::Row& row, KeyKind kind) {
    switch (kind) {
        case KeyKind::uuid:
            return row.uuid(0);
        case KeyKind::text:
            return row.text(0);
        case KeyKind::integer:
            break;
    }
    return row.integer(0);
}

sql::Params params_of(const Invariant& invariant, const Range& range, const CheckTime& at) {
    if (invariant.scan == nullptr) return {};
    sql::Params params = {range.from, range.to};
    if (invariant.overdue == Duration::zero()) return params;
    const bool has_read_long_enough = at.now - at.reading_since >= invariant.overdue;
    params.emplace_back(has_read_long_enough ? at.now - invariant.overdue : distant_past);
    return params;
}

using PageQueries = std::vector<std::pair<const Invariant*, const sql::Statement*>>;

PageQueries ask(sql::Transaction& tx, std::span<const Invariant> invariants, const Scan* scan,
                const Range& range, const CheckTime& at) {
    PageQueries asked;
    tx.add(plan_each, {});
    if (scan == nullptr) tx.add(allow_scans, {});
    for (const Invariant& invariant : invariants) {
        if (invariant.scan != scan) continue;
        const sql::Query query{invariant.name, invariant.violations_query,
                               invariant.violations_postgres};
        asked.emplace_back(&invariant, &tx.add(query, params_of(invariant, range, at)));
    }
    tx.commit();
    return asked;
}

std::vector<Violation> answers(const PageQueries& asked) {
    std::vector<Violation> violations;
    for (const auto& [invariant, statement] : asked) {
        for (const sql::Row& row : statement->rows())
            violations.push_back(
                {invariant->name, invariant->description, row.text(0), row.text(1)});
    }
    return violations;
}

}  // namespace

std::vector<const Scan*> scans_of(std::span<const Invariant> invariants) {
    std::vector<const Scan*> walks;
    for (const Invariant& invariant : invariants) {
        if (std::ranges::find(walks, invariant.scan) == walks.end())
            walks.push_back(invariant.scan);
    }
    return walks;
}

sql::Value start_of(const Scan* scan) {
    if (scan == nullptr) return {};
    switch (scan->key) {
        case KeyKind::uuid:
            return Uuid{};
        case KeyKind::text:
            return "";
        case KeyKind::integer:
            break;
    }
    return std::numeric_limits<std::int64_t>::min();
}

Page read_page(sql::Database& database, std::span<const Invariant> invariants, const Scan* scan,
               const sql::Value& from, const CheckTime& at) {
    Page page{.range = {from, end_of(scan)}, .is_last = true};
    const auto tx = database.begin(sql::Access::read);
    if (scan != nullptr) {
        const sql::Statement& keys = tx->add(scan->keys, {from, scan->rows_max});
        tx->flush();
        page.rows = static_cast<std::int64_t>(keys.rows().size());
        page.is_last = page.rows < scan->rows_max;
        if (!page.is_last) page.range.to = key_of(keys.rows().back(), scan->key);
    }
    page.violations = answers(ask(*tx, invariants, scan, page.range, at));
    return page;
}

std::vector<Violation> reread_page(sql::Database& database, std::span<const Invariant> invariants,
                                   const Scan* scan, const Range& range, const CheckTime& at) {
    const auto tx = database.begin(sql::Access::read);
    return answers(ask(*tx, invariants, scan, range, at));
}

}  // namespace trackops::audit
