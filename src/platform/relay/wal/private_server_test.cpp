// Tests that need a private server: a commit that is in the log and not visible yet, and a slot
// whose log the server removes.
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "platform/relay/poll_source.hpp"
#include "platform/relay/sources_for_tests.hpp"

namespace trackops::relay {
namespace {

// A PostgreSQL server in a folder of its own that listens on a socket there. A commit with
// synchronous_commit = on waits for a standby that does not exist.
class PrivateServer {
public:
    PrivateServer() {
        if (const char* shared = std::getenv("TRACKOPS_TEST_POSTGRES")) shared_ = shared;
        std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
        run("initdb -N -D data -A trust -U postgres -E UTF8 --locale=C.UTF-8 --wal-segsize=1");
        std::string settings = "-c listen_addresses= -c unix_socket_directories=" + folder_.path();
        for (const auto* setting :
             {"wal_level=logical", "fsync=off", "synchronous_commit=local",
              "synchronous_standby_names=nobody", "max_slot_wal_keep_size=2MB", "min_wal_size=2MB",
              "max_wal_size=4MB"}) {
            settings += fmt::format(" -c {}", setting);
        }
        run("pg_ctl -D data -l log -w -o '" + settings + "' start");
        const std::string url = "postgres://postgres@/postgres?host=" + folder_.path();
        setenv("TRACKOPS_TEST_POSTGRES", url.c_str(), 1);
    }
    ~PrivateServer() {
        if (std::system(command("pg_ctl -D data -m immediate stop").c_str()) != 0) {
            fmt::print(stderr, "the private server in {} does not stop\n", folder_.path());
        }
        setenv("TRACKOPS_TEST_POSTGRES", shared_.c_str(), 1);
    }
    PrivateServer(const PrivateServer&) = delete;
    PrivateServer& operator=(const PrivateServer&) = delete;

private:
    // Returns the shell command. PostgreSQL does not run as root.
    std::string command(const std::string& what) const {
        const char* login = geteuid() == 0 ? "runuser -u postgres -- " : "";
        return fmt::format(
            "cd {} && PATH=$(ls -d /usr/lib/postgresql/*/bin | tail -1):$PATH && "
            "{}{} >>out 2>&1",
            folder_.path(), login, what);
    }
    void run(const std::string& what) const {
        if (std::system(command(what).c_str()) != 0) throw std::runtime_error("failed: " + what);
    }

    std::string shared_;
    testing::TemporaryFolder folder_;
};

class WalOfAPrivateServer : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server() = std::make_unique<PrivateServer>(); }
    static void TearDownTestSuite() { server().reset(); }

    // Commits events so that they are in the log and invisible until show().
    std::thread commit_unseen(std::string_view events) {
        auto parsed = outbox_.parse(events);
        std::thread writer([this, parsed = std::move(parsed)] {
            const auto tx = outbox_.database->begin(sql::Access::write);
            tx->add({.name = "test.wait",
                     .text = "SELECT set_config('synchronous_commit', 'on', true)"},
                    {});
            append(*tx, parsed);
            tx->commit();
        });
        until([&] { return unseen() == 1; });
        return writer;
    }
    std::int64_t unseen() {
        return outbox_.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    }
    void show(std::thread writer) {
        outbox_.number(
            "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = "
            "'SyncRep'");
        writer.join();
    }
    void run(std::string_view statement) {
        const auto tx = outbox_.database->begin(sql::Access::write);
        tx->add({.name = "test.run", .text = statement}, {});
        tx->commit();
    }
    std::string read(Source& source) { return outbox::OutboxFixture::names(sources_.read(source)); }

private:
    static std::unique_ptr<PrivateServer>& server() {
        static std::unique_ptr<PrivateServer> one;
        return one;
    }

protected:
    SourceFixture sources_{"postgres-wal"};
    outbox::OutboxFixture& outbox_ = sources_.outbox;
};

// A consumer that reacts to an event must find its rows.
TEST_F(WalOfAPrivateServer, HoldsBackEventsThatOthersDoNotSeeYet) {
    const auto source = sources_.make();
    auto writer = commit_unseen("k1");
    outbox_.commit("a1");
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(read(*source), "");
        source->confirm();
    }
    show(std::move(writer));
    EXPECT_EQ(read(*source), "k1 a1");
}

// Neither a stream from the end of the log nor a snapshot contains this commit.
TEST_F(WalOfAPrivateServer, LosesNoCommitBetweenPollingAndTheLog) {
    sources_.make().reset();
    const auto polling = make_poll_source(*outbox_.database);
    outbox_.commit("a1");
    EXPECT_EQ(read(*polling), "a1");
    polling->confirm();
    auto writer = commit_unseen("k1");
    const auto source = sources_.make_wal();
    until([&] { return source->claim(); });
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(source->read(10).empty());
        source->confirm();
    }
    EXPECT_FALSE(source->is_streaming());
    show(std::move(writer));
    std::vector<outbox::StoredEvent> found;
    sources_.settle(*source, &found);
    EXPECT_EQ(outbox::OutboxFixture::names(found), "k1");
}

TEST_F(WalOfAPrivateServer, RepairsASlotWhoseLogWasThrownAway) {
    auto source = sources_.make();
    outbox_.commit("a1");
    EXPECT_EQ(read(*source), "a1");
    sources_.store_base(*source);
    source.reset();
    outbox_.commit("a2");
    const auto next = sources_.make_wal();
    EXPECT_EQ(next->backlog(outbox::noon).warning, "");
    run("CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 8000)");
    run("CHECKPOINT");
    EXPECT_NE(next->backlog(outbox::noon).warning.find("lost"), std::string::npos);
    until([&] { return next->claim(); });
    std::vector<outbox::StoredEvent> found;
    sources_.settle(*next, &found);
    EXPECT_EQ(outbox::OutboxFixture::names(found), "a2");
    EXPECT_EQ(next->backlog(outbox::noon).warning, "");
    outbox_.commit("a3");
    EXPECT_EQ(read(*next), "a3");
}

}  // namespace
}  // namespace trackops::relay
