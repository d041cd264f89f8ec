// Reads one page of a scan and checks all its invariants in one snapshot.
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

// The keys after `from` up to `to`. The pages of a scan cover all keys from the smallest to the
// largest possible one without a gap, so that they also cover rows whose parent row is missing.
struct Range {
    sql::Value from;
    sql::Value to;
};

// The time of a check, and the start of the period in which reads succeed. Work that was not done
// while the database was away is not overdue yet.
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

// Returns the distinct scans of the invariants, in the order of the table.
std::vector<const Scan*> scans_of(std::span<const Invariant> invariants);
// Returns the key before the first page of the scan.
sql::Value start_of(const Scan* scan);
// Reads the next page after `from` and returns the violations of the scan's invariants in it.
// Throws sql::Failure.
Page read_page(sql::Database& database, std::span<const Invariant> invariants, const Scan* scan,
               const sql::Value& from, const CheckTime& at);
// Returns the violations among the same keys, read again. Throws sql::Failure.
std::vector<Violation> reread_page(sql::Database& database, std::span<const Invariant> invariants,
                                   const Scan* scan, const Range& range, const CheckTime& at);

}  // namespace trackops::audit
