// What must be true of a database, as rows of a table: each with the statement that finds what
// breaks it.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "platform/sql/database.hpp"

namespace trackops::audit {

enum class KeyKind : std::uint8_t { uuid, text, integer };

// Rows in the order of their key, read page by page.
struct Scan {
    std::string_view name;
    KeyKind key;
    sql::Query keys;                // the next $2 keys behind $1, ascending
    std::int64_t rows_max = 2'000;  // a page
};

// The statement sees one snapshot, so it compares only what one transaction writes together: what
// is true a moment later, or in two databases, is none of its business.
struct Invariant {
    std::string_view name;         // says what is true; the label of the metric
    std::string_view description;  // what it protects
    const Scan* scan;              // null: one statement for the whole, without parameters
    // (subject, evidence), both text, of each violation among the keys behind $1 up to $2.
    std::string_view violations_query;
    std::string_view violations_postgres = {};  // in its place there
    Duration overdue = {};   // not zero: what should have happened so long ago; $3 is that time
    bool reads_all = false;  // goes through whole tables at once: for `trackops verify` only
};

using Invariants = std::vector<Invariant>;

}  // namespace trackops::audit
