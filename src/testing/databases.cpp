#include "testing/databases.hpp"

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <stdexcept>
#include <unistd.h>

#include <fmt/format.h>
#include <libpq-fe.h>

namespace trackops::testing {
namespace {

std::string server_url() {
    const char* url = std::getenv("TRACKOPS_TEST_POSTGRES");
    if (url == nullptr || *url == '\0') {
        throw std::runtime_error(
            "TRACKOPS_TEST_POSTGRES is not set: a PostgreSQL server for tests is needed");
    }
    return url;
}

// CREATE and DROP DATABASE cannot run in a transaction, so this function does not use platform/sql.
void run_on_server(const std::string& statement) {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(server_url().c_str()),
                                                                  &PQfinish);
    if (PQstatus(connection.get()) != CONNECTION_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection.get(), statement.c_str()), &PQclear);
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
}

// Returns the server's URL with another database name.
std::string url_of(const std::string& name) {
    auto url = server_url();
    const auto host = url.find("://");
    const auto path = host == std::string::npos ? host : url.find('/', host + 3);
    if (path == std::string::npos) {
        throw std::runtime_error(
            "TRACKOPS_TEST_POSTGRES must read postgres://user@host:port/postgres");
    }
    const auto end = std::min(url.find('?', path), url.size());
    return url.replace(path + 1, end - path - 1, name);
}

std::string unused_name() {
    static std::atomic<unsigned> count = 0;
    return fmt::format("trackops_test_{}_{}_{:08x}", getpid(), ++count, std::random_device{}());
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
    auto pattern = (std::filesystem::temp_directory_path() / "trackops-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
        throw std::runtime_error("no temporary folder can be made: " + pattern);
    path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
    if (error) fmt::print(stderr, "{} could not be removed: {}\n", path_, error.message());
}

FreshDatabase::FreshDatabase(std::string_view kind) {
    if (kind == "sqlite") {
        url_ = "sqlite:" + folder_.path() + "/test.db";
    } else if (kind == "postgres") {
        const auto name = unused_name();
        run_on_server(fmt::format("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", name));
        name_ = name;
        url_ = url_of(name);
    } else {
        throw std::invalid_argument(fmt::format("no such kind of database: {}", kind));
    }
}

FreshDatabase::~FreshDatabase() {
    if (name_.empty()) return;
    try {
        run_on_server(fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", name_));
    } catch (const std::exception& error) {
        fmt::print(stderr, "{} could not be dropped: {}\n", name_, error.what());
    }
}

}  // namespace trackops::testing
