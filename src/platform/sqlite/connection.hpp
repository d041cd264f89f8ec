// One connection to a SQLite file, with its prepared statements.
#pragma once
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/sql/database.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace trackops::sql {

inline constexpr const char* locked = "55P03";  // the SQLSTATE of a lock held by another connection

inline constexpr const char* in_memory = ":memory:";

class SqliteConnection {
public:
    // Opens the file, or a private database for in_memory. Creates the file and its folder if they
    // are missing. With Access::read every write is refused. Throws Failure.
    SqliteConnection(const std::string& path, Access access, const Options& options);
    ~SqliteConnection();
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;

    // Runs one statement to completion, appends its rows to `rows` and returns the number of table
    // rows that it changed. Throws Failure. Throws std::logic_error if the parameters do not match
    // the statement.
    std::size_t run(const Query& query, const Params& params, std::vector<Row>& rows);
    // Runs BEGIN, COMMIT, ROLLBACK and similar statements.
    void run(std::string_view text);

    bool in_transaction() const;
    // False after a fault of the connection or its file. Then close the connection.
    bool is_usable() const { return is_usable_; }

private:
    void write_ahead(const std::string& path, Duration timeout);
    sqlite3_stmt* prepare(const Query& query);
    void bind(const Query& query, sqlite3_stmt* statement, const Params& params);
    void bind_value(const Query& query, sqlite3_stmt* statement, int index, const Value& value);
    [[noreturn]] void fail(std::string_view what, int code);
    void close();

    sqlite3* handle_ = nullptr;
    std::unordered_map<std::string, sqlite3_stmt*> statements_;
    const std::chrono::microseconds statement_timeout_;
    std::chrono::steady_clock::time_point deadline_;
    bool is_usable_ = true;
};

}  // namespace trackops::sql
