// A fresh, empty database for one test, gone with the object.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace trackops::testing {

// The names a contract suite is instantiated with: testing::ValuesIn(databases).
inline const std::vector<std::string> databases = {"sqlite", "postgres"};

// A folder of its own in the system's temporary folder, removed with all it holds.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

// "sqlite": a file in a temporary folder. "postgres": a database made on the server that
// TRACKOPS_TEST_POSTGRES names (postgres://user@host:port/postgres); without that variable the
// constructor throws, so that a missing server fails and never skips.
class FreshDatabase {
public:
    explicit FreshDatabase(std::string_view kind);
    ~FreshDatabase();
    FreshDatabase(const FreshDatabase&) = delete;
    FreshDatabase& operator=(const FreshDatabase&) = delete;
    const std::string& url() const { return url_; }

private:
    TemporaryFolder folder_;
    std::string url_;
    std::string name_;  // of the PostgreSQL database to drop
};

}  // namespace trackops::testing
