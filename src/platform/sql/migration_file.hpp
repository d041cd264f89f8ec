// What a migration file's name and text say, before any database is asked.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/sql/database.hpp"
#include "platform/sql/migrations.hpp"

namespace trackops::sql {

struct Migration {
    int version = 0;
    std::string name;                     // of the file
    std::string checksum;                 // of its text as it was written
    std::vector<std::string> statements;  // for the database at hand
};

struct MigrationPlan {
    int newest = 0;                     // version of any file, whatever database it is for
    std::vector<Migration> migrations;  // those for the database at hand, ascending
};

// Throws std::logic_error: a name that is not NNNN_words[.postgres|.sqlite].sql, a gap in the
// numbers (from 1), two files of one number for one database, an unknown ${word}, a file with no
// statement.
MigrationPlan plan_migrations(std::span<const MigrationFile> files, Dialect dialect);

// The statements of a script: split at each ';' that is not part of a string, an identifier, a
// comment or a dollar-quoted body.
std::vector<std::string> split_statements(std::string_view script);

}  // namespace trackops::sql
