// Brings a schema to the newest version at start, under a lock, each file in a transaction of its
// own.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace trackops::sql {

class Database;

// name: NNNN_words.sql, or NNNN_words.postgres.sql / NNNN_words.sqlite.sql for what only one
// database needs (a number may have both). text: statements separated by ';' at line ends. These
// words are replaced for the database at hand, so that one text serves both:
//   ${key}      a string compared bytewise        TEXT COLLATE "C" TEXT
//   ${uuid}     UUID                               uuid TEXT
//   ${instant}  point in time                      timestamptz TEXT
//   ${json}     JSON                               jsonb TEXT
//   ${integer}  64 bit                             bigint INTEGER
//   ${boolean}                                     boolean INTEGER
//   ${identity} ascending primary key              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
//   INTEGER PRIMARY KEY AUTOINCREMENT
//   ${table}    after the closing parenthesis of a table whose primary key is not ${identity}:
//   (nothing)   WITHOUT ROWID
struct MigrationFile {
    std::string_view name;
    std::string_view text;
};

// Applies what schema_migrations (component, version, name, checksum, applied_at) does not list
// yet; each component ("order", "outbox", ...) counts its own versions. Several processes may call
// it at once, one does the work. Throws std::runtime_error when the schema is newer than the files,
// or a file that was applied has changed since (by checksum), and Failure as the database does.
// Runs ANALYZE when it applied anything. Returns how many it applied.
std::size_t migrate(Database& database, std::string_view component,
                    std::span<const MigrationFile> files);

}  // namespace trackops::sql
