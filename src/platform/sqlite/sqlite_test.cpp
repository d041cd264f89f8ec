// The promises of the SQLite driver alone.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "platform/backends/open_database.hpp"
#include "platform/sql/database.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"

namespace trackops::sql {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class Sqlite : public ::testing::Test {
protected:
    std::unique_ptr<Database> open_with(const Options& options) {
        return backends::open_database("sqlite:" + file_, options, metrics_);
    }
    static std::vector<Row> run(Database& database, Access access, std::string_view text,
                                Params params = {}) {
        const auto tx = database.begin(access);
        const auto& statement = tx->add({"test.run", text}, std::move(params));
        tx->commit();
        return statement.rows();
    }
    void write(std::string_view text, Params params = {}) {
        run(*database_, Access::write, text, std::move(params));
    }
    std::vector<Row> read(std::string_view text, Params params = {}) {
        return run(*database_, Access::read, text, std::move(params));
    }
    // Runs `work`, which must throw a Failure, and returns the failure.
    template <class Work>
    static Failure failure_of(Work work) {
        try {
            work();
        } catch (const Failure& failure) {
            return failure;
        }
        ADD_FAILURE() << "nothing was thrown";
        return {Fault::defect, "", ""};
    }

    testing::TemporaryFolder folder_;
    std::string file_ = folder_.path() + "/made/when/missing/test.db";
    telemetry::Registry metrics_;
    std::unique_ptr<Database> database_ = open_with({});
};

TEST_F(Sqlite, SyncsEveryCommitAndKeepsForeignKeys) {
    for (const auto access : {Access::read, Access::write}) {
        EXPECT_EQ(run(*database_, access, "PRAGMA journal_mode").at(0).text(0), "wal");
        EXPECT_EQ(run(*database_, access, "PRAGMA synchronous").at(0).integer(0), 2);
        EXPECT_EQ(run(*database_, access, "PRAGMA foreign_keys").at(0).integer(0), 1);
    }
    write("CREATE TABLE parent (id INTEGER PRIMARY KEY)");
    write("CREATE TABLE child (id INTEGER REFERENCES parent (id))");
    EXPECT_EQ(failure_of([&] { write("INSERT INTO child VALUES (1)"); }).sqlstate, "23503");
}

TEST_F(Sqlite, KeepsWhatAPersonCanReadAndSort) {
    const Uuid id = uuid_v7({1}, 2, 3);
    const Instant at{1'700'000'000'123'456};
    const auto rows =
        read("SELECT typeof($1), $1, typeof($2), $2, typeof($3), $3, typeof($4), typeof($5)",
             {id, at, true, Json{"{}"}, Bytes{"b"}});
    EXPECT_EQ(
        rows[0].text(0) + rows[0].text(2) + rows[0].text(4) + rows[0].text(6) + rows[0].text(7),
        "texttextintegertextblob");
    EXPECT_EQ(rows[0].text(1), id.text());
    EXPECT_EQ(rows[0].text(3), at.text());
    EXPECT_EQ(rows[0].integer(5), 1);
}

TEST_F(Sqlite, RefusesWhatItCannotGiveBack) {
    EXPECT_THROW(read("SELECT 1.5"), std::logic_error);
    EXPECT_THROW(read("SELECT ?", {1}), std::logic_error);
    EXPECT_THROW(read("SELECT $a", {1}), std::logic_error);
    EXPECT_THROW(read("SELECT $1::text", {1}), std::logic_error);
    const auto failure = failure_of([&] { read("SELECT $1", {Instant{253'402'300'800'000'000}}); });
    EXPECT_EQ(failure.sqlstate, "22008");
    EXPECT_EQ(failure.fault, Fault::bad_data);
    EXPECT_NO_THROW(read("SELECT 1; -- and a word on it;\n"));
}

TEST_F(Sqlite, LetsTheSecondWriterWaitNoLongerThanTold) {
    const auto database = open_with({.lock_timeout = milliseconds(30)});
    const auto first = database->begin(Access::write);
    const auto start = steady_clock::now();
    const auto here = failure_of([&] { database->begin(Access::write); });
    const auto elsewhere =
        failure_of([&] { open_with({.lock_timeout = milliseconds(30)})->begin(Access::write); });
    EXPECT_EQ(here.fault, Fault::unavailable);
    EXPECT_EQ(here.sqlstate, "55P03");
    EXPECT_EQ(elsewhere.fault, Fault::unavailable);
    EXPECT_EQ(elsewhere.sqlstate, "55P03");
    EXPECT_GE(steady_clock::now() - start, milliseconds(60));
    EXPECT_NO_THROW(database->begin(Access::read));
}

TEST_F(Sqlite, ServesManyWritersAndReadersAtOnce) {
    write("CREATE TABLE counter (value INTEGER NOT NULL)");
    write("INSERT INTO counter VALUES (0)");
    constexpr int threads = 6, rounds = 20;
    {
        const Options patient{.lock_timeout = std::chrono::minutes(1)};  // a disk may be slow
        const auto here = open_with(patient);
        const auto other = open_with(patient);  // plays the part of another process
        std::vector<std::jthread> writers;
        for (int i = 0; i < threads; ++i) {
            writers.emplace_back([&database = i % 3 == 0 ? *other : *here] {
                for (int round = 0; round < rounds; ++round) {
                    const auto seen =
                        run(database, Access::read, "SELECT value FROM counter").at(0).integer(0);
                    run(database, Access::write, "UPDATE counter SET value = value + 1");
                    EXPECT_GT(
                        run(database, Access::read, "SELECT value FROM counter").at(0).integer(0),
                        seen);
                }
            });
        }
    }
    EXPECT_EQ(read("SELECT value FROM counter").at(0).integer(0), threads * rounds);
}

TEST_F(Sqlite, OpensANewFileFromManyPlacesAtOnce) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) {
        threads.emplace_back([this, i] {
            const auto database = open_with({});
            EXPECT_NO_THROW(run(*database, i % 2 == 0 ? Access::read : Access::write, "SELECT 1"));
        });
    }
}

// The lock of `other` simulates another connection that switches the new file to the write-ahead
// log.
TEST_F(Sqlite, WaitsForWhoIsAtANewFile) {
    const std::filesystem::path file(file_);
    std::filesystem::create_directories(file.parent_path());
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &other), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    const auto database = open_with({.lock_timeout = milliseconds(30)});
    for (int i = 0; i < 2; ++i) {
        const auto start = steady_clock::now();
        EXPECT_EQ(failure_of([&] { database->begin(Access::write); }).sqlstate, "55P03");
        EXPECT_GE(steady_clock::now() - start, milliseconds(30));
    }
    sqlite3_close(other);
    EXPECT_NO_THROW(database->begin(Access::write));
}

TEST_F(Sqlite, KeepsReadingOneSnapshotWhileOthersWrite) {
    write("CREATE TABLE numbers (value INTEGER)");
    const auto tx = database_->begin(Access::read);
    const auto& before = tx->add({"count", "SELECT count(*) FROM numbers"}, {});
    tx->flush();
    write("INSERT INTO numbers VALUES (1)");
    const auto& after = tx->add({"count", "SELECT count(*) FROM numbers"}, {});
    tx->commit();
    EXPECT_EQ(before.rows()[0].integer(0), 0);
    EXPECT_EQ(after.rows()[0].integer(0), 0);
}

TEST_F(Sqlite, TakesMoreStatementsThanItKeepsPrepared) {
    const auto tx = database_->begin(Access::read);
    for (int i = 0; i < 600; ++i) {
        const auto text = fmt::format("SELECT {}", i % 400);
        const auto& answer = tx->add({"number", text}, {});
        tx->flush();
        ASSERT_EQ(answer.rows()[0].integer(0), i % 400);
    }
}

TEST_F(Sqlite, CountsNoRowsForWhatChangesNone) {
    write("CREATE TABLE numbers (value INTEGER)");
    const auto tx = database_->begin(Access::write);
    const auto& added = tx->add({"add", "INSERT INTO numbers VALUES (1), (2), (3)"}, {});
    const auto& listed = tx->add({"list", "SELECT value FROM numbers"}, {});
    const auto& made = tx->add({"make", "CREATE TABLE more (value INTEGER)"}, {});
    tx->commit();
    EXPECT_EQ(added.affected(), 3U);
    EXPECT_EQ(listed.affected(), 0U);
    EXPECT_EQ(made.affected(), 0U);
}

TEST_F(Sqlite, AnswersUnavailableWhileTheDiskIsFull) {
    write("CREATE TABLE blobs (value BLOB)");
    write("PRAGMA max_page_count = 5");
    const auto failure = failure_of(
        [&] { write("INSERT INTO blobs VALUES ($1)", {Bytes{std::string(100'000, 'x')}}); });
    EXPECT_EQ(failure.sqlstate, "53100");
    EXPECT_EQ(failure.fault, Fault::unavailable);
    write("PRAGMA max_page_count = 1000000");
    EXPECT_NO_THROW(write("INSERT INTO blobs VALUES ($1)", {Bytes{std::string(100'000, 'x')}}));
}

TEST_F(Sqlite, TriesAgainWhenItsFolderComesBack) {
    std::ofstream(folder_.path() + "/made") << "a file where a folder should be";
    const auto first = failure_of([&] { database_->ping(); });
    EXPECT_EQ(first.fault, Fault::unavailable);
    EXPECT_EQ(first.sqlstate, "58030");
    const auto abandon_turn = steady_clock::now() + std::chrono::seconds(10);
    // Soon the driver backs off and does not even try.
    while (failure_of([&] { database_->ping(); }).sqlstate != "08001")
        ASSERT_LT(steady_clock::now(), abandon_turn);
    std::filesystem::remove(folder_.path() + "/made");
    for (bool up = false; !up;) {
        try {
            database_->ping();
            up = true;
        } catch (const Failure& failure) {
            ASSERT_EQ(failure.sqlstate, "08001")
                << "only the backoff may stand in the way: " << failure.what();
            ASSERT_LT(steady_clock::now(), abandon_turn);
            std::this_thread::yield();
        }
    }
}

TEST_F(Sqlite, IsNotAliveWhileAnotherProcessKeepsItLocked) {
    EXPECT_NO_THROW(database_->ping());
    const auto other = open_with({});
    auto holder = other->begin(Access::write);
    const auto impatient = open_with({.lock_timeout = milliseconds(30)});
    EXPECT_EQ(failure_of([&] { impatient->ping(); }).fault, Fault::unavailable);
    holder.reset();
    EXPECT_NO_THROW(impatient->ping());
}

TEST_F(Sqlite, CallsAFileThatIsNoDatabaseBroken) {
    std::filesystem::create_directories(std::filesystem::path(file_).parent_path());
    std::ofstream(file_) << std::string(5000, 'x');
    const auto failure = failure_of([&] { database_->ping(); });
    EXPECT_EQ(failure.fault, Fault::defect);
    EXPECT_EQ(failure.sqlstate, "XX001");
}

// A disk for SQLite's write-ahead logs whose sync can be made to fail.
class FailingDisk {
public:
    FailingDisk() {
        original_ = sqlite3_vfs_find(nullptr);
        vfs_ = *original_;
        vfs_.zName = "failing-disk";
        vfs_.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
            const int code = original_->xOpen(original_, name, file, flags, out);
            if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
            original_methods_ = file->pMethods;
            methods_ = *original_methods_;
            methods_.xSync = [](sqlite3_file* synced, int how) {
                return failing ? SQLITE_IOERR_FSYNC : original_methods_->xSync(synced, how);
            };
            file->pMethods = &methods_;
            return code;
        };
        sqlite3_vfs_register(&vfs_, 1);
    }
    ~FailingDisk() {
        sqlite3_vfs_unregister(&vfs_);
        failing = false;
    }
    FailingDisk(const FailingDisk&) = delete;
    FailingDisk& operator=(const FailingDisk&) = delete;

    static inline bool failing = false;

private:
    static inline sqlite3_vfs* original_ = nullptr;
    static inline const sqlite3_io_methods* original_methods_ = nullptr;
    static inline sqlite3_io_methods methods_{};
    sqlite3_vfs vfs_{};
};

TEST_F(Sqlite, DoesNotKnowWhatACommitDidWhoseSyncFailed) {
    const FailingDisk disk;
    write("CREATE TABLE numbers (value INTEGER)");
    const auto failure = failure_of([&] {
        const auto tx = database_->begin(Access::write);
        tx->add({"add", "INSERT INTO numbers VALUES (1)"}, {});
        tx->flush();
        FailingDisk::failing = true;
        tx->commit();
    });
    FailingDisk::failing = false;
    EXPECT_EQ(failure.fault, Fault::outcome_unknown);
    EXPECT_EQ(failure.sqlstate, "58030");
    EXPECT_NO_THROW(write("INSERT INTO numbers VALUES (2)"));
    database_.reset();
}

}  // namespace
}  // namespace trackops::sql
