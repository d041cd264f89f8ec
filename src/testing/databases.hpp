// A fresh, empty database for one test. The destructor removes it.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace trackops::testing {

// The parameters of a contract suite: testing::ValuesIn(databases).
inline const std::vector<std::string> databases = {"sqlite", "postgres"};

// A new folder in the system's temporary folder. The destructor removes it with its content.
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

// The kind "sqlite" is a file in a temporary folder. The kind "postgres" is a new database on the
// server that TRACKOPS_TEST_POSTGRES names (postgres://user@host:port/postgres). Without that
// variable the constructor throws, so that a test without a server fails and is not skipped.
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
    std::string name_;  // the name of the PostgreSQL database to drop
};

}  // namespace trackops::testing
