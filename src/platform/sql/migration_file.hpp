// The parser of migration files. It needs no database.
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
    std::string checksum;                 // of the text of the file
    std::vector<std::string> statements;  // in the words of the dialect
};

struct MigrationPlan {
    int newest = 0;                     // the highest version of any file, for any dialect
    std::vector<Migration> migrations;  // those for the dialect, ascending
};

// Throws std::logic_error for a name that is not NNNN_words[.postgres|.sqlite].sql, a gap in the
// numbers (from 1), two files of one number for one database, an unknown ${word}, a file with no
// statement.
MigrationPlan plan_migrations(std::span<const MigrationFile> files, Dialect dialect);

// Returns the statements of a migration. A line that ends with ';' ends its statement, except
// between one $$ and the next. A line that begins with -- is a comment. The splitter knows no other
// syntax, because all scripts are our own.
std::vector<std::string> split_statements(std::string_view script);

}  // namespace trackops::sql
