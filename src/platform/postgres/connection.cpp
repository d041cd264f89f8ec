#include "platform/postgres/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <poll.h>
#include <stdexcept>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "platform/telemetry/log.hpp"

namespace trackops::sql::postgres {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t prepared_max = 512;      // statements; beyond that the connection is replaced
constexpr std::size_t push_bytes = 64 * 1024;  // queued bytes before they are flushed to the socket
// A connection that has sent larger parameters is replaced, because libpq keeps a buffer as large
// as its largest message.
constexpr std::size_t bloat_bytes = 4 << 20;
constexpr Duration rollback_timeout = std::chrono::seconds(1);
// A plan fits the sizes of the tables at the time when it was made. Plans are discarded after this
// time, which doubles up to the maximum.
constexpr Duration plan_lifetime_min = std::chrono::seconds(1);
constexpr Duration plan_lifetime_max = std::chrono::minutes(1);
constexpr int binary = 1;

struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

// In the order of Control. A read transaction sees one snapshot, so that the results of its
// statements agree.
constexpr std::array controls = {"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                                 "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", "DISCARD PLANS",
                                 "COMMIT", "ROLLBACK"};
static_assert(controls.size() == static_cast<std::size_t>(Control::rollback) + 1);

std::string trimmed(const char* message) {
    std::string text = message;
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

std::string_view field(const PGresult& result, int code) {
    const char* text = PQresultErrorField(&result, code);
    return text == nullptr ? std::string_view() : text;
}

// Receives an unsolicited message of the server. `is_lost` points to the connection's flag, which
// is set if the message ends the session.
void take_notice(void* is_lost, const PGresult* notice) {
    const std::string_view severity = field(*notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity == "FATAL" || severity == "PANIC") *static_cast<bool*>(is_lost) = true;
    telemetry::log(telemetry::Level::debug, "sql", field(*notice, PG_DIAG_MESSAGE_PRIMARY));
}

constexpr auto for_ever = SteadyClock::time_point::max();

// Waits for the socket. Returns the events that occurred; 0 at the time limit.
int wait_for(int socket, short events, SteadyClock::time_point until) {
    for (;;) {
        int left = -1;
        if (until != for_ever) {
            left = static_cast<int>(std::max<std::int64_t>(
                0,
                std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count()));
        }
        pollfd polled{socket, events, 0};
        const int ready = ::poll(&polled, 1, left);
        if (ready < 0 && errno == EINTR) continue;
        return ready > 0 ? polled.revents : 0;
    }
}

// libpq's signatures lack const; these two functions only read.
std::string_view tag_of(const PGresult& result) {
    return PQcmdStatus(const_cast<PGresult*>(&result));
}
std::string_view count_of(const PGresult& result) {
    return PQcmdTuples(const_cast<PGresult*>(&result));
}

// Returns the number of rows inserted, updated, deleted or merged; 0 for a SELECT.
std::size_t affected_by(const PGresult& result) {
    const std::string_view count = tag_of(result).starts_with("SELECT") ? "" : count_of(result);
    std::size_t affected = 0;
    std::from_chars(count.data(), count.data() + count.size(), affected);
    return affected;
}

void append_rows(const PGresult& result, std::string_view query, std::vector<Row>& rows) {
    const int row_count = PQntuples(&result);
    const int column_count = PQnfields(&result);
    rows.reserve(rows.size() + static_cast<std::size_t>(row_count));
    for (int row = 0; row < row_count; ++row) {
        std::vector<Value> columns;
        columns.reserve(static_cast<std::size_t>(column_count));
        for (int column = 0; column < column_count; ++column) {
            if (PQgetisnull(&result, row, column) != 0) {
                columns.emplace_back();
                continue;
            }
            const std::string_view bytes(
                PQgetvalue(&result, row, column),
                static_cast<std::size_t>(PQgetlength(&result, row, column)));
            columns.push_back(decode(bytes, PQftype(&result, column),
                                     {query, static_cast<std::size_t>(column) + 1}));
        }
        rows.emplace_back(std::move(columns));
    }
}

}  // namespace

Fault fault_of(std::string_view sqlstate) {
    const std::string_view family = sqlstate.substr(0, 2);
    if (family == "22" || family == "23") return Fault::bad_data;
    if (sqlstate == "40001" || sqlstate == "40P01") return Fault::retryable;
    if (sqlstate == "08P01") return Fault::defect;  // we broke the protocol
    if (family == "08" || family == "53" || family == "57" || sqlstate == "55P03")
        return Fault::unavailable;
    return Fault::defect;
}

void Connection::Close::operator()(pg_conn* connection) const { PQfinish(connection); }

Connection::Connection(const Target& target, const Options& options, Time deadline)
    : deadline_(deadline),
      plan_lifetime_(plan_lifetime_min),
      replan_at_(SteadyClock::now() + plan_lifetime_min) {
    connect(target, std::min(deadline, SteadyClock::now() + options.connect_timeout));
}

void Connection::connect(const Target& target, Time until) {
    ConnectionParameters parameters = connection_parameters(target);
    parameters.add(nullptr, nullptr);
    connection_.reset(PQconnectStartParams(parameters.names.data(), parameters.values.data(), 0));
    if (!connection_) throw std::bad_alloc();
    PQsetNoticeReceiver(connection_.get(), &take_notice, &is_lost_);
    auto status = PQstatus(connection_.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED
                                                                : PGRES_POLLING_WRITING;
    while (status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING) {
        const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (wait_for(PQsocket(connection_.get()), events, until) == 0) {
            throw Failure(Fault::unavailable, "08001",
                          fmt::format("{}: no answer in time", target.description));
        }
        status = PQconnectPoll(connection_.get());
    }
    if (status != PGRES_POLLING_OK || PQsetnonblocking(connection_.get(), 1) != 0 ||
        PQenterPipelineMode(connection_.get()) != 1) {
        throw Failure(
            Fault::unavailable, "08001",
            fmt::format("{}: {}", target.description, trimmed(PQerrorMessage(connection_.get()))));
    }
}

bool Connection::has_no_unexpected_input() const {
    return !is_lost_ && PQstatus(connection_.get()) == CONNECTION_OK &&
           wait_for(PQsocket(connection_.get()), POLLIN, SteadyClock::now()) == 0;
}

bool Connection::is_reusable() const {
    return !is_lost_ && pending_results_.empty() &&
           PQtransactionStatus(connection_.get()) == PQTRANS_IDLE &&
           encoded_.capacity() <= bloat_bytes && prepared_.size() <= prepared_max;
}

void Connection::expect_alive() {
    commit_ = Commit::none;
    // The input may also be a notice or a changed setting.
    if (PQtransactionStatus(connection_.get()) == PQTRANS_IDLE) has_local_settings_ = false;
    while (!is_lost_ && !has_no_unexpected_input()) {
        if (PQconsumeInput(connection_.get()) == 0) mark_lost(PQerrorMessage(connection_.get()));
        // PQgetResult() brings libpq to its idle state, in which PQisBusy() passes notices to
        // take_notice().
        const Result none(PQgetResult(connection_.get()));
        PQisBusy(connection_.get());
    }
    settle();
}

void Connection::control(Control what) {
    const char* text = controls.at(static_cast<std::size_t>(what));
    const Prepared* known = find(text);
    // The statement's name is its text, so that a reader of the protocol recognises it.
    if (known == nullptr) known = &prepare_without_describe(text, text, text);
    const bool went = PQsendQueryPrepared(connection_.get(), known->name.c_str(), 0, nullptr,
                                          nullptr, nullptr, binary) == 1;
    if (went && what == Control::commit) commit_ = Commit::sent;
    sent(went, {what == Control::commit ? Step::commit : Step::control, text});
}

Prepared* Connection::find(std::string_view text) {
    const auto found = prepared_.find(text);
    return found == prepared_.end() ? nullptr : &found->second;
}

Prepared& Connection::prepare_without_describe(std::string_view text, std::string_view query,
                                               std::string_view name) {
    const auto [at, is_new] = prepared_.emplace(
        text, Prepared{name.empty() ? fmt::format("s{}", ++names_given_) : std::string(name), {}});
    bytes_queued_ += text.size();
    sent(PQsendPrepare(connection_.get(), at->second.name.c_str(), at->first.c_str(), 0, nullptr) ==
             1,
         {Step::prepare, query, &at->second});
    return at->second;
}

void Connection::replan_when_due() {
    const auto now = SteadyClock::now();
    if (now < replan_at_) return;
    plan_lifetime_ = std::min(2 * plan_lifetime_, plan_lifetime_max);
    replan_at_ = now + plan_lifetime_;
    control(Control::replan);
}

void Connection::prepare(std::string_view text, std::string_view query) {
    Prepared& prepared = prepare_without_describe(text, query);
    sent(PQsendDescribePrepared(connection_.get(), prepared.name.c_str()) == 1,
         {Step::describe, query, &prepared});
}

void Connection::expect_count(const Prepared& statement, std::string_view query,
                              std::size_t count) const {
    if (count == statement.parameters.size()) return;
    throw std::logic_error(fmt::format("query {}: {} parameters, but the statement has {}", query,
                                       count, statement.parameters.size()));
}

void Connection::execute(const Prepared& statement, std::string_view query, const Params& params,
                         Outcome& outcome) {
    expect_count(statement, query, params.size());
    encoded_.clear();
    lengths_.clear();
    for (std::size_t i = 0; i < params.size(); ++i) {
        const std::size_t start = encoded_.size();
        if (!params[i].is_null())
            append_value(encoded_, params[i], statement.parameters[i], {query, i + 1});
        lengths_.push_back(params[i].is_null() ? -1 : static_cast<int>(encoded_.size() - start));
    }
    send_encoded(statement, query, outcome);
}

void Connection::execute_arrays(const Prepared& statement, std::string_view query,
                                std::span<const Params> rows, Outcome& outcome) {
    for (const Params& row : rows) expect_count(statement, query, row.size());
    encoded_.clear();
    lengths_.clear();
    for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
        const std::size_t start = encoded_.size();
        append_array(encoded_, rows, statement.parameters[i], {query, i + 1});
        lengths_.push_back(static_cast<int>(encoded_.size() - start));
    }
    send_encoded(statement, query, outcome);
}

void Connection::send_encoded(const Prepared& statement, std::string_view query, Outcome& outcome) {
    const std::vector<int> formats(lengths_.size(), binary);
    std::vector<const char*> values;
    values.reserve(lengths_.size());
    const char* at = encoded_.data();
    for (const int length : lengths_) {
        values.push_back(length < 0 ? nullptr : at);
        at += std::max(length, 0);
    }
    bytes_queued_ += encoded_.size();
    sent(PQsendQueryPrepared(connection_.get(), statement.name.c_str(),
                             static_cast<int>(values.size()), values.data(), lengths_.data(),
                             formats.data(), binary) == 1,
         {Step::execute, query, nullptr, &outcome});
}

// Records the expected result, and flushes to the socket once enough bytes are queued.
void Connection::sent(bool went, const PendingResult& pending) {
    constexpr std::size_t message_bytes = 100;  // approximate protocol overhead of each message
    if (!went) {
        const std::string why = PQerrorMessage(connection_.get());
        if (PQstatus(connection_.get()) != CONNECTION_BAD)
            throw std::logic_error(fmt::format("query {}: {}", pending.query, why));
        mark_lost(why);
        settle();
    }
    pending_results_.push_back(pending);
    bytes_queued_ += message_bytes;
    if (bytes_queued_ < push_bytes) return;
    push();
    if (failure_ || is_lost_) finish();  // the rest is not worth sending
}

// Returns when the socket has taken all bytes. Results are read at the same time, because a server
// that cannot send its results stops reading.
void Connection::push() {
    bytes_queued_ = 0;
    while (!is_lost_) {
        const int left = PQflush(connection_.get());
        if (left == 0) return;
        if (left < 0) return mark_lost(PQerrorMessage(connection_.get()));
        wait_and_read(true);
    }
}

void Connection::wait_and_read(bool to_write) {
    // A transaction that has executed SET may have lifted the server's timeouts, and ours with
    // them.
    const auto until = has_local_settings_ ? for_ever : deadline_;
    const int events =
        wait_for(PQsocket(connection_.get()), to_write ? POLLIN | POLLOUT : POLLIN, until);
    if (events == 0) return mark_lost("no answer in time");
    if ((events & ~POLLOUT) == 0) return;
    const bool is_alive = PQconsumeInput(connection_.get()) == 1;
    const std::string why = is_alive ? "" : PQerrorMessage(connection_.get());
    // The remaining input may hold the server's reason for closing.
    absorb();
    if (!is_alive) mark_lost(why);
}

void Connection::absorb() {
    while (!pending_results_.empty() && !is_lost_ && PQisBusy(connection_.get()) == 0) {
        const Result result(PQgetResult(connection_.get()));
        if (result) {
            take(*result);
        } else if (pending_results_.front().is_answered) {
            pending_results_.pop_front();
        } else {
            mark_lost("an answer is missing");
        }
    }
}

void Connection::take(const PGresult& result) {
    PendingResult& pending = pending_results_.front();
    pending.is_answered = true;
    switch (PQresultStatus(&result)) {
        case PGRES_PIPELINE_SYNC:  // the only result that no null result follows
            if (pending.step != Step::sync) return mark_lost("answers are out of step");
            pending_results_.pop_front();
            return;
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
        case PGRES_EMPTY_QUERY:
            return take_answer(result, pending);
        case PGRES_PIPELINE_ABORTED:
            return;  // an earlier statement has failed
        default:
            return take_error(result, pending);
    }
}

void Connection::take_answer(const PGresult& result, const PendingResult& pending) {
    switch (pending.step) {
        case Step::prepare:
            pending.prepared->is_ready = true;
            return;
        case Step::describe:
            for (int i = 0; i < PQnparams(&result); ++i)
                pending.prepared->parameters.push_back(PQparamtype(&result, i));
            return;
        case Step::execute:
            if (tag_of(result) == "SET") has_local_settings_ = true;
            try {
                pending.outcome->affected += affected_by(result);
                append_rows(result, pending.query, pending.outcome->rows);
            } catch (...) {  // thrown after the whole segment is read
                if (!defect_) defect_ = std::current_exception();
            }
            return;
        case Step::commit:
            // The server answers the COMMIT of a failed transaction with ROLLBACK, and with no
            // error.
            commit_ = Commit::none;
            if (tag_of(result) == "COMMIT") {
                commit_ = Commit::done;
            } else if (!failure_) {
                failure_.emplace(Fault::defect, "", "COMMIT was answered by a rollback");
            }
            return;
        case Step::control:
        case Step::sync:
            return;
    }
}

void Connection::take_error(const PGresult& result, const PendingResult& pending) {
    const std::string_view sqlstate = field(result, PG_DIAG_SQLSTATE);
    // An error without SQLSTATE comes from libpq, not from the server.
    if (sqlstate.empty()) return mark_lost(PQresultErrorMessage(&result));
    const bool is_end = field(result, PG_DIAG_SEVERITY_NONLOCALIZED) != "ERROR";
    Fault fault = is_end ? Fault::unavailable : fault_of(sqlstate);
    // Not one of our constraints: a partition was attached between the routing of a row and its
    // insert.
    if (sqlstate == "23514" && field(result, PG_DIAG_CONSTRAINT_NAME).empty())
        fault = Fault::retryable;
    if (is_end && pending.step == Step::commit) fault = Fault::outcome_unknown;
    // The COMMIT will not run.
    if (commit_ == Commit::sent && fault != Fault::outcome_unknown) commit_ = Commit::none;
    // 0A000 and 26000: the plan no longer fits the schema. A new connection makes new plans.
    is_lost_ = is_lost_ || is_end || sqlstate == "0A000" || sqlstate == "26000";
    // After an answered COMMIT this is only the message of a server that ends the session.
    if (failure_ || defect_ || commit_ == Commit::done) return;
    const std::string message = fmt::format("query {}: {} ({})", pending.query,
                                            field(result, PG_DIAG_MESSAGE_PRIMARY), sqlstate);
    // The caller's parameters do not match the statement's: one is unused or missing.
    if (sqlstate == "42P18" || sqlstate == "08P01") {
        defect_ = std::make_exception_ptr(std::logic_error(message));
    } else {
        failure_.emplace(fault, std::string(sqlstate), message);
    }
}

void Connection::mark_lost(std::string_view why) {
    is_lost_ = true;
    if (failure_ || commit_ == Commit::done) return;
    const Fault fault = commit_ == Commit::sent ? Fault::outcome_unknown : Fault::unavailable;
    failure_.emplace(fault, "08006",
                     fmt::format("the connection was lost: {}", trimmed(std::string(why).c_str())));
}

void Connection::finish() {
    if (PQpipelineSync(connection_.get()) == 1) {
        pending_results_.push_back({Step::sync, "sync"});
    } else {
        mark_lost(PQerrorMessage(connection_.get()));
    }
    push();
    absorb();
    while (!pending_results_.empty() && !is_lost_) wait_and_read(false);
    settle();
}

// Ends the segment: forgets statements that were not prepared, and throws its first failure or
// defect.
void Connection::settle() {
    if (failure_ || defect_) {
        std::erase_if(prepared_, [](const auto& entry) { return !entry.second.is_ready; });
    }
    if (failure_) throw *std::exchange(failure_, std::nullopt);
    if (is_lost_ && commit_ != Commit::done)
        throw Failure(Fault::unavailable, "08006", "the connection was lost");
    if (defect_) std::rethrow_exception(std::exchange(defect_, nullptr));
}

void Connection::rollback() noexcept {
    if (is_lost_ || !pending_results_.empty()) return;  // closing the connection rolls back, too
    deadline_ = SteadyClock::now() + rollback_timeout;
    has_local_settings_ = false;
    try {
        control(Control::rollback);
        finish();
    } catch (const std::exception& error) {
        telemetry::log(telemetry::Level::warn, "sql", "a rollback failed, the connection is closed",
                       {{"error", error.what()}});
    }
}

}  // namespace trackops::sql::postgres
