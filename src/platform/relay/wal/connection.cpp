#include "platform/relay/wal/connection.hpp"

#include <array>
#include <cerrno>
#include <poll.h>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "platform/postgres/connection.hpp"
#include "platform/postgres/target.hpp"

namespace trackops::relay {
namespace {

constexpr Duration answer_time = std::chrono::seconds(5);

std::string without_newline(std::string text) {
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

std::string_view sqlstate_of(const pg_result* result) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return state == nullptr ? "" : state;
}

// Returns false when the socket is not ready in time.
bool is_readable_within(pg_conn* connection, Duration time, short events = POLLIN) {
    pollfd waiting{PQsocket(connection), events, 0};
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(time).count();
    return ::poll(&waiting, 1, static_cast<int>(ms)) > 0;
}

// The settings of a walsender; those of a session that runs statements do not apply.
std::string session_options(Duration sender_timeout) {
    return fmt::format("-c TimeZone=UTC -c DateStyle=ISO -c wal_sender_timeout={}",
                       std::chrono::ceil<std::chrono::milliseconds>(sender_timeout).count());
}

}  // namespace

void WalConnection::Close::operator()(pg_conn* connection) const { PQfinish(connection); }
void WalConnection::Clear::operator()(pg_result* result) const { PQclear(result); }
void WalConnection::Free::operator()(char* bytes) const { PQfreemem(bytes); }

WalConnection::WalConnection(std::string_view url, Duration sender_timeout) {
    const sql::postgres::Target target =
        sql::postgres::parse_target(url, {.tcp_user_timeout = sender_timeout});
    const std::string options = session_options(sender_timeout);
    sql::postgres::ConnectionParameters parameters = sql::postgres::connection_parameters(target);
    parameters.add("options", options.c_str());
    parameters.add("replication", "database");
    parameters.add("connect_timeout", "3");
    parameters.add(nullptr, nullptr);
    connection_.reset(PQconnectdbParams(parameters.names.data(), parameters.values.data(), 0));
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
        throw sql::Failure(sql::Fault::unavailable, "",
                           "no replication connection to " + target.description + ": " +
                               without_newline(PQerrorMessage(connection_.get())));
    }
    PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);
    if (PQsetnonblocking(connection_.get(), 1) != 0) fail_as_lost();
}

void WalConnection::create_slot(const std::string& slot) {
    ask(fmt::format("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput (SNAPSHOT 'nothing')", slot));
}

WalConnection::Creation WalConnection::slot_creation() {
    push();
    if (PQconsumeInput(connection_.get()) == 0) fail_as_lost();
    if (PQisBusy(connection_.get()) != 0) return Creation::under_way;
    const Result answer = answer_within(answer_time);
    if (PQresultStatus(answer.get()) == PGRES_TUPLES_OK) return Creation::made;
    if (sqlstate_of(answer.get()) == "42710") return Creation::taken;
    fail_as(answer.get());
}

bool WalConnection::start(const std::string& slot, const std::string& publication,
                          pgoutput::Lsn from) {
    ask(
        fmt::format("START_REPLICATION SLOT {} LOGICAL {} (proto_version '1', publication_names "
                    "'\"{}\"')",
                    slot, from.text(), publication));
    const Result answer = answer_within(answer_time);
    if (PQresultStatus(answer.get()) == PGRES_COPY_BOTH) return true;
    if (sqlstate_of(answer.get()) == "55006") return false;
    fail_as(answer.get());
}

std::optional<std::string_view> WalConnection::frame() {
    char* bytes = nullptr;
    int size = PQgetCopyData(connection_.get(), &bytes, 1);
    if (size == 0) {
        if (PQconsumeInput(connection_.get()) == 0) fail_as_lost();
        size = PQgetCopyData(connection_.get(), &bytes, 1);
    }
    frame_.reset(bytes);
    if (size > 0) return std::string_view(bytes, static_cast<std::size_t>(size));
    if (size == 0) return std::nullopt;
    if (size == -2) fail_as_lost();
    const Result answer(PQgetResult(connection_.get()));
    fail_as(answer.get());
}

void WalConnection::send(std::string_view status_update) {
    if (PQputCopyData(connection_.get(), status_update.data(),
                      static_cast<int>(status_update.size())) < 0) {
        fail_as_lost();
    }
    push();
}

void WalConnection::await(Duration at_most) { is_readable_within(connection_.get(), at_most); }

void WalConnection::ask(const std::string& command) {
    if (PQsendQuery(connection_.get(), command.c_str()) == 0) fail_as_lost();
    push();
}

// Returns the first result and discards those behind it.
WalConnection::Result WalConnection::answer_within(Duration time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (PQisBusy(connection_.get()) != 0) {
        const auto left = std::chrono::ceil<Duration>(until - std::chrono::steady_clock::now());
        if (left <= Duration::zero() || !is_readable_within(connection_.get(), left)) {
            throw sql::Failure(sql::Fault::unavailable, "",
                               "the server does not answer a replication command");
        }
        if (PQconsumeInput(connection_.get()) == 0) fail_as_lost();
    }
    Result answer(PQgetResult(connection_.get()));
    if (PQresultStatus(answer.get()) == PGRES_COPY_BOTH) return answer;
    while (const Result next{PQgetResult(connection_.get())}) {
    }
    return answer;
}

// Sends the queued bytes. The next call sends the rest; a status update may come a second late.
void WalConnection::push() {
    if (PQflush(connection_.get()) < 0) fail_as_lost();
}

void WalConnection::fail_as(const pg_result* result) const {
    const std::string_view state = sqlstate_of(result);
    if (state.empty()) {
        throw sql::Failure(sql::Fault::unavailable, "", "the replication stream ended");
    }
    throw sql::Failure(sql::postgres::fault_of(state), std::string(state),
                       "replication: " + without_newline(PQresultErrorMessage(result)));
}

void WalConnection::fail_as_lost() const {
    throw sql::Failure(sql::Fault::unavailable, "",
                       "the replication connection is lost: " +
                           without_newline(PQerrorMessage(connection_.get())));
}

}  // namespace trackops::relay
