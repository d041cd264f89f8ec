#include "platform/sqlite/connection.hpp"

#include <charconv>
#include <filesystem>

#include <fmt/format.h>
#include <sqlite3.h>

#include "platform/sql/utf8.hpp"

namespace trackops::sql {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t statements_max = 256;         // prepared statements of one connection
constexpr int instructions_a_look = 20'000;         // between two looks at the statement's deadline
constexpr const char* wal_bytes_kept = "67108864";  // size of the log file after a checkpoint

struct ResultMeaning {
    Fault fault;
    const char* sqlstate;
};

ResultMeaning constraint_meaning(int code) {
    switch (code) {
        case SQLITE_CONSTRAINT_CHECK:
            return {Fault::bad_data, "23514"};
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID:
            return {Fault::bad_data, "23505"};
        case SQLITE_CONSTRAINT_NOTNULL:
            return {Fault::bad_data, "23502"};
        case SQLITE_CONSTRAINT_FOREIGNKEY:
            return {Fault::bad_data, "23503"};
        default:
            return {Fault::bad_data, "23000"};
    }
}

// Maps an extended result code to a fault and PostgreSQL's SQLSTATE.
ResultMeaning meaning_of(int code) {
    switch (code & 0xff) {
        case SQLITE_CONSTRAINT:
            return constraint_meaning(code);
        case SQLITE_MISMATCH:
            return {Fault::bad_data, "22P02"};
        case SQLITE_TOOBIG:
            return {Fault::bad_data, "22001"};
        case SQLITE_BUSY:
            if (code == SQLITE_BUSY_SNAPSHOT) return {Fault::retryable, "40001"};
            return {Fault::unavailable, locked};
        case SQLITE_LOCKED:
        case SQLITE_PROTOCOL:
            return {Fault::unavailable, locked};
        case SQLITE_INTERRUPT:
            return {Fault::unavailable, "57014"};
        case SQLITE_FULL:
            return {Fault::unavailable, "53100"};
        case SQLITE_NOMEM:
            return {Fault::unavailable, "53200"};
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
            return {Fault::unavailable, "58030"};
        case SQLITE_READONLY:
            return {Fault::defect, "25006"};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {Fault::defect, "XX001"};
        case SQLITE_ERROR:
            return {Fault::defect, "42000"};
        default:
            return {Fault::defect, "XX000"};
    }
}

bool is_fatal_for_connection(int code) {
    const int primary = code & 0xff;
    return primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_CORRUPT ||
           primary == SQLITE_NOTADB || primary == SQLITE_NOMEM || primary == SQLITE_MISUSE;
}

[[noreturn]] void refuse(const Query& query, int index, const char* sqlstate, const char* why) {
    throw Failure(Fault::bad_data, sqlstate, fmt::format("{}: ${}: {}", query.name, index, why));
}

int bind_static(sqlite3_stmt* statement, int index, const std::string& text) {
    return sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC,
                               SQLITE_UTF8);
}

int bind_copy(sqlite3_stmt* statement, int index, const std::string& text) {
    return sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT,
                               SQLITE_UTF8);
}

std::string bytes_of(sqlite3_stmt* statement, int column, const void* data) {
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    return size == 0 ? std::string() : std::string(static_cast<const char*>(data), size);
}

Value column_of(const Query& query, sqlite3_stmt* statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
        case SQLITE_NULL:
            return Null{};
        case SQLITE_INTEGER:
            return std::int64_t{sqlite3_column_int64(statement, column)};
        case SQLITE_TEXT: {
            const auto* text = sqlite3_column_text(statement, column);
            return bytes_of(statement, column, text);
        }
        case SQLITE_BLOB:
            return Bytes{bytes_of(statement, column, sqlite3_column_blob(statement, column))};
        default:
            break;
    }
    throw std::logic_error(fmt::format(
        "{}: column {} is a floating-point number: no Value holds one", query.name, column));
}

// Resets the statement for its next use, also after a failure.
class Use {
public:
    explicit Use(sqlite3_stmt* statement) : statement_(statement) {}
    ~Use() {
        sqlite3_reset(statement_);  // Returns the last step's code again, which was checked there.
        sqlite3_clear_bindings(statement_);
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

private:
    sqlite3_stmt* statement_;
};

void make_folder_of(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path();
    std::error_code error;
    if (!folder.empty()) std::filesystem::create_directories(folder, error);
    if (error)
        throw Failure(Fault::unavailable, "58030",
                      fmt::format("{}: {}", folder.string(), error.message()));
}

}  // namespace

SqliteConnection::SqliteConnection(const std::string& path, Access access, const Options& options)
    : statement_timeout_(options.statement_timeout) {
    make_folder_of(path);
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    try {
        const int code = sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr);
        if (code != SQLITE_OK) fail(path, code);
        using std::chrono::milliseconds;
        sqlite3_busy_timeout(
            handle_, static_cast<int>(duration_cast<milliseconds>(options.lock_timeout).count()));
        sqlite3_progress_handler(
            handle_, instructions_a_look,
            [](void* self) {
                return steady_clock::now() > static_cast<SqliteConnection*>(self)->deadline_ ? 1
                                                                                             : 0;
            },
            this);
        write_ahead(path, options.lock_timeout);
        run("PRAGMA synchronous = FULL");
        run("PRAGMA foreign_keys = ON");
        run(fmt::format("PRAGMA journal_size_limit = {}", wal_bytes_kept));
        if (access == Access::read) run("PRAGMA query_only = ON");
    } catch (...) {
        close();
        throw;
    }
}

// The first connection that opens a new file switches it to the write-ahead log. SQLite refuses a
// second connection that meets this switch at once, without the busy timeout, because it takes the
// situation for a deadlock (https://sqlite.org/c3ref/busy_handler.html). So the second connection
// retries here, for at most `timeout` more.
void SqliteConnection::write_ahead(const std::string& path, Duration timeout) {
    const auto until = steady_clock::now() + timeout;
    for (;;) {
        std::vector<Row> mode;
        try {
            run({"sqlite.open", "PRAGMA journal_mode = WAL"}, {}, mode);
        } catch (const Failure& failure) {
            if (failure.sqlstate != locked || steady_clock::now() >= until) throw;
            sqlite3_sleep(1);
            continue;
        }
        if (path == in_memory || (!mode.empty() && mode.front().text(0) == "wal")) return;
        throw Failure(Fault::unavailable, "58030",
                      path + ": this file system takes no write-ahead log");
    }
}

SqliteConnection::~SqliteConnection() { close(); }

void SqliteConnection::close() {
    for (const auto& [text, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close(handle_);
}

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

void SqliteConnection::run(std::string_view text) {
    std::vector<Row> rows;
    run({text, text}, {}, rows);
}

std::size_t SqliteConnection::run(const Query& query, const Params& params,
                                  std::vector<Row>& rows) {
    sqlite3_stmt* statement = prepare(query);
    if (statement == nullptr) {
        if (!params.empty())
            throw std::logic_error(
                fmt::format("{}: parameters for an empty statement", query.name));
        return 0;
    }
    const Use use(statement);
    bind(query, statement, params);
    const auto changed_before = sqlite3_total_changes64(handle_);
    deadline_ = steady_clock::now() + statement_timeout_;
    int code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
        std::vector<Value> columns;
        const int count = sqlite3_column_count(statement);
        columns.reserve(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i) columns.push_back(column_of(query, statement, i));
        rows.emplace_back(std::move(columns));
    }
    if (code != SQLITE_DONE) fail(query.name, code);
    // sqlite3_changes64() keeps the count of the previous statement if this one changes no rows
    // (DDL, SELECT).
    if (sqlite3_total_changes64(handle_) == changed_before) return 0;
    return static_cast<std::size_t>(sqlite3_changes64(handle_));
}

sqlite3_stmt* SqliteConnection::prepare(const Query& query) {
    std::string text(query.text);
    if (const auto found = statements_.find(text); found != statements_.end()) return found->second;
    deadline_ = steady_clock::now() + statement_timeout_;
    sqlite3_stmt* statement = nullptr;
    sqlite3_stmt* second = nullptr;
    const char* rest = nullptr;
    int code = sqlite3_prepare_v3(handle_, text.c_str(), static_cast<int>(text.size() + 1),
                                  SQLITE_PREPARE_PERSISTENT, &statement, &rest);
    if (code != SQLITE_OK) fail(query.name, code);
    // Only blanks and comments may follow. PostgreSQL would refuse a second statement; SQLite would
    // ignore it.
    code = sqlite3_prepare_v2(handle_, rest, -1, &second, nullptr);
    sqlite3_finalize(second);
    if (code != SQLITE_OK || second != nullptr) {
        sqlite3_finalize(statement);
        throw Failure(Fault::defect, "42601",
                      fmt::format("{}: more than one statement", query.name));
    }
    if (statement == nullptr) return nullptr;
    if (statements_.size() >= statements_max) {
        for (const auto& [old, prepared] : statements_) sqlite3_finalize(prepared);
        statements_.clear();
    }
    statements_.emplace(std::move(text), statement);
    return statement;
}

void SqliteConnection::bind(const Query& query, sqlite3_stmt* statement, const Params& params) {
    std::vector<bool> used(params.size(), false);
    const int places = sqlite3_bind_parameter_count(statement);
    for (int place = 1; place <= places; ++place) {
        const char* name = sqlite3_bind_parameter_name(statement, place);
        const std::string_view digits = name != nullptr && *name == '$' ? name + 1 : "";
        std::size_t number = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (error != std::errc() || end != digits.data() + digits.size() || number == 0) {
            throw std::logic_error(fmt::format("{}: '{}' is no parameter: write $1, $2, ...",
                                               query.name, name == nullptr ? "?" : name));
        }
        if (number > params.size()) {
            throw std::logic_error(
                fmt::format("{}: ${} is missing, {} given", query.name, number, params.size()));
        }
        used[number - 1] = true;
        bind_value(query, statement, place, params[number - 1]);
    }
    for (std::size_t i = 0; i < used.size(); ++i) {
        if (!used[i])
            throw std::logic_error(fmt::format("{}: ${} is given and not used", query.name, i + 1));
    }
}

void SqliteConnection::bind_value(const Query& query, sqlite3_stmt* statement, int index,
                                  const Value& value) {
    const auto bind_text = [&](const std::string& text) {
        if (!is_utf8_without_nul(text))
            refuse(query, index, "22021", "not UTF-8, or it holds a NUL");
        return bind_static(statement, index, text);
    };
    const auto bind_instant = [&](Instant at) {
        std::string text = at.text();
        if (Instant::parse(text) != at)
            refuse(query, index, "22008", "outside the years 0001 to 9999");
        return bind_copy(statement, index, text);
    };
    struct Binder {
        sqlite3_stmt* statement;
        int index;
        const decltype(bind_text)& text;
        const decltype(bind_instant)& instant;
        int operator()(Null) const { return sqlite3_bind_null(statement, index); }
        int operator()(std::int64_t integer) const {
            return sqlite3_bind_int64(statement, index, integer);
        }
        int operator()(bool boolean) const {
            return sqlite3_bind_int64(statement, index, boolean ? 1 : 0);
        }
        int operator()(const std::string& string) const { return text(string); }
        int operator()(const Json& json) const { return text(json.text); }
        int operator()(const Bytes& blob) const {
            return sqlite3_bind_blob64(statement, index, blob.bytes.data(), blob.bytes.size(),
                                       SQLITE_STATIC);
        }
        int operator()(Uuid uuid) const { return bind_copy(statement, index, uuid.text()); }
        int operator()(Instant at) const { return instant(at); }
    };
    const int code = std::visit(Binder{statement, index, bind_text, bind_instant}, value.variant());
    if (code != SQLITE_OK) fail(query.name, code);
}

void SqliteConnection::fail(std::string_view what, int code) {
    if (is_fatal_for_connection(code)) is_usable_ = false;
    const auto meaning = meaning_of(code);
    const char* message = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
    throw Failure(meaning.fault, meaning.sqlstate, fmt::format("{}: {}", what, message));
}

}  // namespace trackops::sql
