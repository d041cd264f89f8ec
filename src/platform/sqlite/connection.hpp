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

inline constexpr const char* locked = "55P03";  // the SQLSTATE of what another holds

inline constexpr const char* in_memory = ":memory:";

class SqliteConnection {
public:
    // Opens the file (or a database of its own, in_memory), makes it with its folder when missing.
    // Access::read refuses every write. Throws Failure.
    SqliteConnection(const std::string& path, Access access, const Options& options);
    ~SqliteConnection();
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;

    // Runs one statement to its end, appends its rows to `rows`, returns how many rows of the
    // tables it changed. Throws Failure; std::logic_error when parameters and statement do not fit
    // each other.
    std::size_t run(const Query& query, const Params& params, std::vector<Row>& rows);
    // BEGIN, COMMIT, ROLLBACK and the like.
    void run(std::string_view text);

    bool in_transaction() const;
    // False after a fault of the connection or of the file under it: then it is better closed.
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
