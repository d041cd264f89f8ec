#include "platform/backends/open_database.hpp"

#include <filesystem>
#include <string>

#include "platform/postgres/postgres.hpp"
#include "platform/sqlite/sqlite.hpp"
#include "platform/url/url.hpp"

namespace trackops::backends {
namespace {

constexpr url::Form form{
    .what = "database URL",
    .example = "sqlite:FILE, sqlite:///absolute/FILE or postgres://service@db.example:5432/shop"};

std::string sqlite_file(std::string_view url) {
    std::string file = url::local_path(url, form);
    if (file.empty()) url::refuse(url, form, "it names no file");
    // Such a database has no write-ahead log.
    if (file.starts_with(':')) url::refuse(url, form, "the database must be a file, not in memory");
    if (file.ends_with('/')) url::refuse(url, form, "it names a folder, not a file");
    return file;
}

}  // namespace

std::unique_ptr<sql::Database> open_database(std::string_view url, const sql::Options& options,
                                             telemetry::Registry& metrics) {
    const std::string_view scheme = url::scheme_of(url);
    if (scheme == "sqlite") return sql::open_sqlite(sqlite_file(url), options, metrics);
    const bool is_postgres =
        scheme == "postgres" || scheme == "postgresql" || url.starts_with("jdbc:postgresql:");
    if (is_postgres) return sql::open_postgres(url, options, metrics);
    url::refuse(url, form,
                "it is none of sqlite:, postgres://, postgresql:// and jdbc:postgresql://");
}

std::string data_folder(std::string_view url) {
    if (url::scheme_of(url) != "sqlite") return {};
    const auto folder = std::filesystem::path(sqlite_file(url)).parent_path();
    return folder.empty() ? "." : folder.string();
}

}  // namespace trackops::backends
