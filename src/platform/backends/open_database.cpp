#include "platform/backends/open_database.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "platform/postgres/postgres.hpp"
#include "platform/sqlite/sqlite.hpp"

namespace trackops::backends {
namespace {

// Accepts sqlite:FILE and sqlite:///abs/FILE. A host has no meaning here, and an in-memory database
// has no WAL.
std::string_view sqlite_path(std::string_view rest) {
    if (rest.starts_with("//")) {
        rest.remove_prefix(2);
        if (!rest.starts_with('/')) {
            throw std::invalid_argument(
                "a sqlite URL has no host: write sqlite:FILE or sqlite:///absolute/FILE");
        }
    }
    if (rest.empty()) throw std::invalid_argument("a sqlite URL needs a file: sqlite:FILE");
    if (rest.starts_with(':'))
        throw std::invalid_argument("a sqlite database must be a file, not in memory");
    if (rest.ends_with('/')) throw std::invalid_argument("a sqlite URL names a file, not a folder");
    if (rest.find('\0') != std::string_view::npos)
        throw std::invalid_argument("a file name has no NUL");
    return rest;
}

}  // namespace

std::unique_ptr<sql::Database> open_database(std::string_view url, const sql::Options& options,
                                             telemetry::Registry& metrics) {
    if (url.starts_with("sqlite:"))
        return sql::open_sqlite(sqlite_path(url.substr(7)), options, metrics);
    std::string_view server = url;
    if (server.starts_with("jdbc:")) server.remove_prefix(5);
    if (server.starts_with("postgresql://") ||
        (server == url && server.starts_with("postgres://"))) {
        return sql::open_postgres(server, options, metrics);
    }
    // Shows only the scheme, because the rest may contain a password.
    const auto scheme = url.substr(0, std::min<std::size_t>(url.find(':'), 20));
    throw std::invalid_argument(fmt::format(
        "'{}' is no database that we know: write sqlite:FILE, postgres://..., postgresql://... or "
        "jdbc:postgresql://...",
        scheme));
}

}  // namespace trackops::backends
