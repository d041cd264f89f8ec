// Migrations bring a schema to the newest version at the start of a service, under a lock, each
// file in a transaction of its own.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace trackops::sql {

class Database;

// name: NNNN_words.sql, or NNNN_words.postgres.sql and NNNN_words.sqlite.sql for statements of one
// database (a number may have both). Numbers begin at 0001 and have no gap. text: statements, each
// ended by a ';' at the end of a line. These words are replaced, so that one text serves both
// databases:
// clang-format off
//                PostgreSQL                                 SQLite
//   ${key}       TEXT COLLATE "C"                           TEXT        (compared bytewise)
//   ${uuid}      uuid                                       TEXT
//   ${instant}   timestamptz                                TEXT
//   ${json}      jsonb                                      TEXT
//   ${bytes}     bytea                                      BLOB
//   ${integer}   bigint                                     INTEGER     (64 bit)
//   ${boolean}   boolean                                    INTEGER
//   ${identity}  bigint GENERATED ALWAYS AS IDENTITY ...    INTEGER ... (ascending primary key)
//   ${table}                                                WITHOUT ROWID
// clang-format on
// ${table} stands after the closing parenthesis of a table whose primary key is not ${identity}.
struct MigrationFile {
    std::string_view name;
    std::string_view text;
};

// Applies the files that schema_migrations (component, version, name, checksum, applied_at) does
// not list. Each component ("order", "outbox", ...) counts its own versions. Several processes may
// call it at once: one does the work, the others wait. Runs ANALYZE after it has applied a file.
// Returns the number of applied files. Throws
// - std::logic_error for bad files: a gap, a number twice, an unknown ${word};
// - std::runtime_error when the schema is newer than the files, when an applied file has changed
// (by its
//   checksum), or when a file was added below an applied one;
// - Failure when the database fails.
std::size_t migrate(Database& database, std::string_view component,
                    std::span<const MigrationFile> files);

}  // namespace trackops::sql
