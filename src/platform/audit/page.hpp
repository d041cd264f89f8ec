// One bounded look at a database: a page of a walk with all that must be true of it, in one
// snapshot.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "platform/audit/invariant.hpp"

namespace trackops::audit {

struct Violation {
    std::string_view invariant;
    std::string_view description;
    std::string subject;
    std::string evidence;
    bool operator==(const Violation&) const = default;
};

// Keys behind `from` up to `to`. The pages of a walk leave nothing out between the smallest key
// there can be and the largest, so that also what lost its row is met.
struct Range {
    sql::Value from;
    sql::Value to;
};

// When one looks, and since when one has been able to: what nobody did while the database was away
// is not overdue yet.
struct CheckTime {
    Instant now;
    Instant reading_since;
};

struct Page {
    std::int64_t rows = 0;
    Range range;
    bool is_last = false;
    std::vector<Violation> violations;
};

// The distinct walks of the table, in its order.
std::vector<const Scan*> scans_of(std::span<const Invariant> invariants);
// Before the first page of the walk.
sql::Value start_of(const Scan* scan);
// The next page behind `from`, and what breaks the walk's invariants in it. Throws sql::Failure.
Page read_page(sql::Database& database, std::span<const Invariant> invariants, const Scan* scan,
               const sql::Value& from, const CheckTime& at);
// The same keys once more.
std::vector<Violation> reread_page(sql::Database& database, std::span<const Invariant> invariants,
                                   const Scan* scan, const Range& range, const CheckTime& at);

}  // namespace trackops::audit
