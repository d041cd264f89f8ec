// Transactions over SQLite or PostgreSQL: statements queue and travel together; rows are asked for
// later.
#pragma once
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "platform/sql/value.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::sql {

// A named statement; the name is what metrics and logs call it. Parameters are $1, $2, ... in both
// databases, used at least once each.
struct Query {
    std::string_view name;
    std::string_view text;  // for one row of parameters
    std::string_view postgres =
        {};  // replaces text on PostgreSQL where that pays (FOR UPDATE SKIP LOCKED, ...)
    // For add_batch() on PostgreSQL: one statement over arrays, one a column ($1::uuid[],
    // unnest($1::uuid[], $2::text[]), = ANY($1::uuid[])). Without it, add_batch() sends `text` once
    // a row, pipelined.
    std::string_view postgres_batch = {};
    // Then a single row goes by `text`, at half the cost: where it means the same, locks included.
    bool single_row_uses_text = false;
};

// Who may answer a fault, from the SQLSTATE (SQLite: from its result code).
enum class Fault : std::uint8_t {
    bad_data,     // classes 22, 23: one command's data is at fault
    retryable,    // 40001, 40P01, SQLITE_BUSY_SNAPSHOT: the same transaction may succeed
    unavailable,  // 08, 53, 57, 55P03 (lock timeout), SQLITE_BUSY/FULL/IOERR, pool exhausted: later
    outcome_unknown,  // COMMIT was sent, its answer was lost
    defect,           // anything else: a defect of ours
};

class Failure : public std::runtime_error {
public:
    Failure(Fault whose, std::string state, const std::string& message)
        : std::runtime_error(message), fault(whose), sqlstate(std::move(state)) {}
    Fault fault;
    std::string sqlstate;  // five characters; "" where there is none
};

// A statement that was added to a transaction. Valid while its transaction lives; its results from
// the next flush() or commit() on.
class Statement {
public:
    virtual ~Statement() = default;
    virtual const std::vector<Row>& rows() const = 0;  // std::logic_error before the flush
    virtual std::size_t affected()
        const = 0;  // rows inserted, updated or deleted (RETURNING counts them too)
};

// One transaction on one connection, used by one thread. Destroyed without commit(): rolled back.
class Transaction {
public:
    virtual ~Transaction() = default;
    // Queues a statement. Nothing is sent before flush() or commit().
    virtual Statement& add(const Query& query, Params params) = 0;
    // Queues the query once for each row of parameters; rows() gathers all results, in no promised
    // order; affected() is the sum. No rows of parameters: nothing is sent, nothing comes back.
    virtual Statement& add_batch(const Query& query, std::vector<Params> rows) = 0;
    // Sends what is queued, as one round trip, and reads all results. Throws Failure at the first
    // fault; then only destruction is left.
    virtual void flush() = 0;
    // flush() and COMMIT in the same round trip. On Fault::outcome_unknown it may or may not have
    // happened.
    virtual void commit() = 0;
};

enum class Access : std::uint8_t {
    read,   // READ ONLY. One flush() sees one snapshot; on PostgreSQL (READ COMMITTED) two may see
            // two
    write,  // SQLite: BEGIN IMMEDIATE. PostgreSQL: READ COMMITTED
};

enum class Dialect : std::uint8_t { sqlite, postgres };

struct Options {
    std::size_t connections_max = 8;  // pool size; SQLite has one writer whatever this says
    Duration connection_wait =
        std::chrono::seconds(2);  // for a free connection, then Fault::unavailable
    Duration statement_timeout = std::chrono::seconds(10);
    Duration lock_timeout = std::chrono::seconds(3);
    Duration idle_in_transaction_timeout = std::chrono::seconds(3);
    Duration tcp_user_timeout = std::chrono::seconds(5);
    Duration connect_timeout = std::chrono::seconds(3);
};

// A bounded pool of connections. Thread-safe. Connections are made when first needed, thrown away
// after a fault of the connection, and made anew with a backoff (50 ms doubling to 2 s) during
// which begin() answers Fault::unavailable at once.
class Database {
public:
    virtual ~Database() = default;
    virtual std::unique_ptr<Transaction> begin(Access access) = 0;
    virtual Dialect dialect() const = 0;
    // One round trip to a real server (SELECT 1) within the timeouts; throws Failure.
    virtual void ping() = 0;
    // Waits a moment that grows with the attempt (1 ms doubling to 50 ms), so that two losers do
    // not meet again at once.
    virtual void back_off(int attempt);
    // Where the data lives, without secrets: for logs and health.
    virtual std::string description() const = 0;
};

// sqlite:FILE (made with its folder when missing; WAL, synchronous=FULL, foreign keys on),
// postgres://..., postgresql://..., jdbc:postgresql://... Throws std::invalid_argument naming what
// is wrong with the URL. Does not connect. metrics outlives the database.
std::unique_ptr<Database> open(std::string_view url, const Options& options,
                               telemetry::Registry& metrics);

// A SQLite database that is gone with the object: one connection, so that its transactions come one
// after the other. For the simulator.
std::unique_ptr<Database> open_in_memory(const Options& options, telemetry::Registry& metrics);

}  // namespace trackops::sql
