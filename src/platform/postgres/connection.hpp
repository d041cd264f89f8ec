// One connection in libpq's pipeline mode: commands queue, one sync brings all their results.
#pragma once
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

// What came back for one statement.
struct Outcome {
    std::vector<Row> rows;
    std::size_t affected = 0;
};

// A statement that this connection has prepared, or is about to.
struct Prepared {
    std::string name;
    std::vector<Oid> parameters;
    bool is_ready = false;  // the server has said so
};

enum class Control : std::uint8_t { begin_read, begin_write, replan, commit, rollback };

Fault fault_of(std::string_view sqlstate);

class Connection {
public:
    // Throws Failure (unavailable), within the connect timeout.
    Connection(const Target& target, const Options& options);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // False when something came in that nobody asked for: the server is going, or gone. No round
    // trip.
    bool has_no_unexpected_input() const;
    // Fit for another transaction: alive, outside of a transaction, not too many prepared
    // statements.
    bool is_reusable() const;
    // Lost, and certainly without having committed.
    bool is_lost_uncommitted() const { return is_lost_ && commit_ == Commit::none; }

    // All below throw Failure at the first fault that they see; then only rollback() is left.

    // Before a segment: throws when the connection was lost while nothing was under way.
    void expect_alive();
    // What follows is queued, and sent and its results read as the server takes and gives them.
    // `query` lives until finish().
    void control(Control what);
    // When the plans of this session have become old, in a transaction that has just begun: they
    // are made anew, for tables that have grown meanwhile.
    void replan_when_due();
    Prepared* find(std::string_view text);
    // Its parameters' types are known after finish().
    void prepare(std::string_view text, std::string_view query);
    // For statements without parameters, which can be executed without waiting. `name`: the
    // server's name for it; default: a number of its own.
    Prepared& prepare_without_describe(std::string_view text, std::string_view query,
                                       std::string_view name = {});
    void execute(const Prepared& statement, std::string_view query, const Params& params,
                 Outcome& outcome);
    // Once for all rows, as arrays, one a column.
    void execute_arrays(const Prepared& statement, std::string_view query,
                        std::span<const Params> rows, Outcome& outcome);
    // Ends the segment: sends the rest, reads all results. A COMMIT that was answered has happened,
    // even if the connection is lost right after.
    void finish();

    // Waits a second at most; what then is not reusable is to be closed.
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

    void connect(const Target& target, Duration at_most);
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
    Duration silence_timeout_;  // with silence of the server, a statement; 0 is without end
    const Duration network_timeout_;
    Duration plan_lifetime_;
    std::chrono::steady_clock::time_point replan_at_;
    std::deque<PendingResult> pending_results_;
    std::unordered_map<std::string, Prepared, TextHash, std::equal_to<>> prepared_;  // by text
    std::size_t names_given_ = 0;
    Commit commit_ = Commit::none;
    bool is_lost_ = false;
    bool has_local_settings_ =
        false;  // the transaction has SET something: its timeouts may not be ours
    std::optional<Failure> failure_;  // the first of the segment
    std::exception_ptr defect_;       // a result that cannot be decoded
    std::size_t bytes_queued_ = 0;    // since the last push
    std::string encoded_;             // the parameters of the statement being sent
    std::vector<int> lengths_;        // of each; -1 is NULL
};

}  // namespace trackops::sql::postgres
