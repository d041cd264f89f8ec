// Brings a schema to the newest version at start, under a lock, each file in a transaction of its
// own.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace trackops::sql {

class Database;

// name: NNNN_words.sql, or NNNN_words.postgres.sql / NNNN_words.sqlite.sql for what only one
// database needs (a number may have both). Numbers begin at 0001 and have no gap.
// text: statements separated by ';'. These words are replaced, so that one text serves both:
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
// ${table} stands after the closing parenthesis of a table whose primary key is not ${identity}.
struct MigrationFile {
    std::string_view name;
    std::string_view text;
};

// Applies what schema_migrations (component, version, name, checksum, applied_at) does not list
// yet; each component ("order", "outbox", ...) counts its own versions. Several processes may call
// it at once, one does the work, the others wait for it. Runs ANALYZE when it applied anything.
// Returns how many it applied. Throws
//   std::logic_error    bad files: a gap, a number twice, an unknown ${word}
//   std::runtime_error  the schema is newer than the files; an applied file has changed since (by
//                       checksum), or one was added below it
//   Failure             as the database does
std::size_t migrate(Database& database, std::string_view component,
                    std::span<const MigrationFile> files);

}  // namespace trackops::sql
