// Transactions over SQLite or PostgreSQL. Statements queue and are sent together; the caller reads
// their rows afterwards.
#pragma once
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/backoff.hpp"
#include "base/instant.hpp"
#include "platform/sql/value.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::sql {

// A named statement; metrics and logs show the name. Parameters are $1, $2, ... in both databases,
// each used at least once.
struct Query {
    std::string_view name;
    // For one row of parameters.
    std::string_view text;
    // Replaces `text` on PostgreSQL where that pays (FOR UPDATE SKIP LOCKED, ...).
    std::string_view postgres = {};
    // For add_batch() on PostgreSQL: one statement over arrays, one array for each column. Without
    // it add_batch() sends `text` once for each row, pipelined. An INSERT selects one unnest() for
    // each column, which gives row after row; FROM unnest($1, $2) would first store all rows, which
    // costs a tenth of the statement. A join needs FROM unnest().
    std::string_view postgres_batch = {};
    // add_batch() sends a single row by `text`, at half the cost. Only for a pair of texts with the
    // same meaning, locks included.
    bool single_row_uses_text = false;
};

// The kind of a failure, by its SQLSTATE or SQLite result code; it decides what the caller may do.
enum class Fault : std::uint8_t {
    // Classes 22 and 23: the data of one command is invalid.
    bad_data,
    // 40001, 40P01, SQLITE_BUSY_SNAPSHOT: the same transaction may succeed when it is repeated.
    retryable,
    // Classes 08, 53, 57, 55P03 (lock timeout), SQLITE_BUSY, SQLITE_FULL, SQLITE_IOERR, pool
    // exhausted:
    // the transaction may succeed later.
    unavailable,
    // COMMIT was sent and its answer was lost.
    outcome_unknown,
    // Any other: a defect of ours.
    defect,
};

class Failure : public std::runtime_error {
public:
    Failure(Fault whose, std::string state, const std::string& message)
        : std::runtime_error(message), fault(whose), sqlstate(std::move(state)) {}
    Fault fault;
    std::string sqlstate;  // five characters, or "" without one
};

// A statement that was added to a transaction. It is valid while its transaction lives; its results
// are there after the next flush() or commit().
class Statement {
public:
    virtual ~Statement() = default;
    // Throws std::logic_error before the flush.
    virtual const std::vector<Row>& rows() const = 0;
    // Returns the number of rows inserted, updated or deleted, also with RETURNING.
    virtual std::size_t affected() const = 0;
};

// One transaction on one connection, used by one thread. Its destruction without commit() rolls it
// back.
class Transaction {
public:
    virtual ~Transaction() = default;
    // Queues a statement. Nothing is sent before flush() or commit().
    virtual Statement& add(const Query& query, Params params) = 0;
    // Queues the query once for each row of parameters. rows() holds the results of all rows, in no
    // particular order; affected() is their sum. Without a row of parameters nothing is sent.
    virtual Statement& add_batch(const Query& query, std::vector<Params> rows) = 0;
    // Sends the queued statements in one round trip and reads all results. Throws Failure at the
    // first fault; then only destruction is left.
    virtual void flush() = 0;
    // Sets the time that the transaction has from now on, in place of the rest of
    // Options::transaction_timeout. For work that is known to take long. SQLite needs none: only
    // its statements have a limit.
    virtual void extend(Duration /*from_now*/) {}
    // Does flush() and COMMIT in one round trip. After Fault::outcome_unknown the transaction may
    // or may not be committed.
    virtual void commit() = 0;
};

enum class Access : std::uint8_t {
    read,   // READ ONLY. The whole transaction sees one snapshot (PostgreSQL: REPEATABLE READ).
    write,  // SQLite: BEGIN IMMEDIATE. PostgreSQL: READ COMMITTED.
};

enum class Dialect : std::uint8_t { sqlite, postgres };

struct Options {
    std::size_t connections_max = 8;  // size of the pool; SQLite always has one writer
    // The wait for a free connection, then Fault::unavailable.
    Duration connection_wait = std::chrono::seconds(2);
    Duration statement_timeout = std::chrono::seconds(7);
    // The time from begin() to the answer of the COMMIT, waits for a connection included; a
    // rollback may take a second more. After it the connection is thrown away: Fault::unavailable,
    // or Fault::outcome_unknown once COMMIT was sent. It ends waits for a server that stands still;
    // a server that only works slowly ends a statement by itself before. A transaction that has
    // executed SET LOCAL has no such limit. For PostgreSQL.
    Duration transaction_timeout = std::chrono::seconds(8);
    Duration lock_timeout = std::chrono::seconds(3);
    Duration idle_in_transaction_timeout = std::chrono::seconds(3);
    Duration tcp_user_timeout = std::chrono::seconds(5);
    Duration connect_timeout = std::chrono::seconds(3);
};

// The wait between two attempts at a transaction that conflicted with another one.
inline constexpr BackoffLimits conflict_backoff{std::chrono::milliseconds(1),
                                                std::chrono::milliseconds(50)};
// The wait between two attempts at a connection, after the server refused one.
inline constexpr BackoffLimits connect_backoff{std::chrono::milliseconds(50),
                                               std::chrono::seconds(2)};

// A bounded pool of connections. Thread-safe. The pool opens a connection when it is first needed
// and closes it after a fault of the connection. It reconnects with a backoff (connect_backoff),
// during which begin() throws Fault::unavailable at once.
class Database {
public:
    virtual ~Database() = default;
    virtual std::unique_ptr<Transaction> begin(Access access) = 0;
    virtual Dialect dialect() const = 0;
    // Begins and ends a write transaction that changes nothing, in one round trip. Throws Failure
    // if the database is away, is read-only (a standby, for one), or another process keeps it
    // locked.
    virtual void ping() = 0;
    // Waits by conflict_backoff after the given attempt, counted from 0, so that two conflicting
    // transactions do not conflict again at once.
    virtual void back_off(int attempt);
    // Names the database without secrets, for logs and health.
    virtual std::string description() const = 0;
};

}  // namespace trackops::sql
