// One connection in libpq's pipeline mode: commands are queued, and one sync brings all their
// results.
#pragma once
#include <chrono>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/postgres/target.hpp"
#include "platform/postgres/values.hpp"
#include "platform/sql/database.hpp"

struct pg_conn;    // PGconn
struct pg_result;  // PGresult

namespace trackops::sql::postgres {

// The result of one statement.
struct Outcome {
    std::vector<Row> rows;
    std::size_t affected = 0;
};

// A statement that this connection has prepared or is preparing.
struct Prepared {
    std::string name;
    std::vector<Oid> parameters;
    bool is_ready = false;  // the server has confirmed it
};

enum class Control : std::uint8_t { begin_read, begin_write, replan, commit, rollback };

// Returns the kind of fault that a SQLSTATE reports.
Fault fault_of(std::string_view sqlstate);

class Connection {
public:
    using Time = std::chrono::steady_clock::time_point;

    // Throws Failure (unavailable) if it cannot connect within the connect timeout and by
    // `deadline`.
    Connection(const Target& target, const Options& options, Time deadline);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Returns false if unexpected input has arrived: the server is shutting down or gone. Makes no
    // round trip.
    bool has_no_unexpected_input() const;
    // True if the connection is alive, outside of a transaction and has not too many prepared
    // statements. Otherwise close it.
    bool is_reusable() const;
    // True if the connection is lost and certainly has not committed.
    bool is_lost_uncommitted() const { return is_lost_ && commit_ == Commit::none; }

    // All functions below throw Failure at the first fault that they see. After that only
    // rollback() may be called.

    // A wait for the server that reaches this time makes the connection lost.
    void set_deadline(Time deadline) { deadline_ = deadline; }
    // Call it before a segment. Throws if the connection was lost while it was idle.
    void expect_alive();
    // The functions from here to finish() queue commands. Data is sent and results are read as the
    // server takes and gives them. `query` must live until finish().
    void control(Control what);
    // Discards the plans of this session if they are old, so that they are made again for tables
    // that have grown. Call it in a transaction that has just begun.
    void replan_when_due();
    // Returns the statement with this text, or null if this connection does not know it yet.
    Prepared* find(std::string_view text);
    // The types of its parameters are known after finish().
    void prepare(std::string_view text, std::string_view query);
    // For statements without parameters, which can be executed without waiting. `name` is the
    // statement's name on the server; by default a generated one.
    Prepared& prepare_without_describe(std::string_view text, std::string_view query,
                                       std::string_view name = {});
    void execute(const Prepared& statement, std::string_view query, const Params& params,
                 Outcome& outcome);
    // Executes the statement once for all rows, with one array for each column.
    void execute_arrays(const Prepared& statement, std::string_view query,
                        std::span<const Params> rows, Outcome& outcome);
    // Ends the segment: sends the rest and reads all results. A COMMIT that was answered has
    // happened, even if the connection is lost right after it.
    void finish();

    // Waits one second at most. A connection that is not reusable afterwards must be closed.
    void rollback() noexcept;

private:
    enum class Commit : std::uint8_t { none, sent, done };
    enum class Step : std::uint8_t { control, commit, prepare, describe, execute, sync };
    struct PendingResult {
        Step step;
        std::string_view query;
        Prepared* prepared = nullptr;
        Outcome* outcome = nullptr;
        bool is_answered = false;
    };
    struct Close {
        void operator()(pg_conn* connection) const;
    };
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };

    void connect(const Target& target, Time until);
    void expect_count(const Prepared& statement, std::string_view query, std::size_t count) const;
    void send_encoded(const Prepared& statement, std::string_view query, Outcome& outcome);
    void sent(bool went, const PendingResult& pending);
    void push();
    void wait_and_read(bool to_write);
    void absorb();
    void take(const pg_result& result);
    void take_answer(const pg_result& result, const PendingResult& pending);
    void take_error(const pg_result& result, const PendingResult& pending);
    void mark_lost(std::string_view why);
    void settle();

    std::unique_ptr<pg_conn, Close> connection_;
    Time deadline_;
    Duration plan_lifetime_;
    Time replan_at_;
    std::deque<PendingResult> pending_results_;
    // key: the statement's text
    std::unordered_map<std::string, Prepared, TextHash, std::equal_to<>> prepared_;
    std::size_t names_given_ = 0;
    Commit commit_ = Commit::none;
    bool is_lost_ = false;
    // The transaction has executed SET, so our timeouts may not be in force.
    bool has_local_settings_ = false;
    std::optional<Failure> failure_;  // the first failure of the segment
    std::exception_ptr defect_;       // a result that cannot be decoded
    std::size_t bytes_queued_ = 0;    // since the last push
    std::string encoded_;             // the parameters of the statement being sent
    std::vector<int> lengths_;        // length of each parameter; -1 is NULL
};

}  // namespace trackops::sql::postgres
