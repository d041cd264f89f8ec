// The invariants of a database as rows of a table, each with the statement that finds its
// violations.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "platform/sql/database.hpp"

namespace trackops::audit {

enum class KeyKind : std::uint8_t { uuid, text, integer };

// Rows in the order of their key, read in pages.
struct Scan {
    std::string_view name;
    KeyKind key;
    sql::Query keys;                // selects the next $2 keys after $1, ascending
    std::int64_t rows_max = 2'000;  // of one page
};

// The statement sees one snapshot. Therefore it compares only rows that one transaction writes
// together: it cannot judge a state that spans later transactions or two databases.
struct Invariant {
    std::string_view name;         // states what is true; the label of the metric
    std::string_view description;  // the property that it protects
    const Scan* scan;              // null: one statement for the whole database, without parameters
    // Selects (subject, evidence), both text, for each violation among the keys after $1 up to $2.
    std::string_view violations_query;
    std::string_view violations_postgres = {};  // replaces it on PostgreSQL
    // If not zero, the statement reports only work that was due this long ago; $3 is that time.
    Duration overdue = {};
    bool reads_all = false;  // scans whole tables in one statement: for `trackops verify` only
};

using Invariants = std::vector<Invariant>;

}  // namespace trackops::audit
