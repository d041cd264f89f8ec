#include "testing/databases.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>

#include <gtest/gtest.h>

#include "platform/backends/open_database.hpp"
#include "platform/sql/database.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::testing {
namespace {

TEST(TemporaryFolder, IsGoneWithAllItHolds) {
    std::string path;
    {
        const TemporaryFolder folder, other;
        path = folder.path();
        EXPECT_NE(path, other.path());
        std::filesystem::create_directories(path + "/a/b");
        std::ofstream(path + "/a/b/c") << "text";
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

class FreshDatabases : public ::testing::TestWithParam<std::string> {
protected:
    std::unique_ptr<sql::Database> open(const FreshDatabase& fresh) {
        return backends::open_database(fresh.url(), {}, metrics_);
    }
    static void make_table(sql::Database& database) {
        const auto tx = database.begin(sql::Access::write);
        tx->add({"make", "CREATE TABLE things (id INTEGER)"}, {});
        tx->commit();
    }
    telemetry::Registry metrics_;
};

INSTANTIATE_TEST_SUITE_P(Databases, FreshDatabases, ::testing::ValuesIn(databases),
                         [](const auto& instance) { return instance.param; });

TEST_P(FreshDatabases, AreEmptyAndApart) {
    const FreshDatabase one(GetParam()), two(GetParam());
    make_table(*open(one));
    EXPECT_NO_THROW(make_table(*open(two)));
}

TEST_P(FreshDatabases, AreGoneWithTheObjectEvenWhenInUse) {
    std::optional<FreshDatabase> fresh(GetParam());
    const auto url = fresh->url();
    const auto database = open(*fresh);
    make_table(*database);
    fresh.reset();
    if (GetParam() == "sqlite") {
        EXPECT_FALSE(std::filesystem::exists(url.substr(7)));
    } else {
        const auto again = backends::open_database(url, {}, metrics_);
        EXPECT_THROW(again->ping(), sql::Failure);
    }
}

TEST(FreshDatabase, NeedsAServerAndSkipsNothing) {
    const std::string server = std::getenv("TRACKOPS_TEST_POSTGRES");
    unsetenv("TRACKOPS_TEST_POSTGRES");
    EXPECT_THROW(FreshDatabase("postgres"), std::runtime_error);
    setenv("TRACKOPS_TEST_POSTGRES", server.c_str(), 1);
    EXPECT_THROW(FreshDatabase("oracle"), std::invalid_argument);
}

}  // namespace
}  // namespace trackops::testing
