#include <fmt/format.h>

#include "platform/sql/drivers.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::sql {
namespace {

// In the order of Fault.
constexpr std::array<const char*, 5> fault_names = {"culprit", "repeat", "unavailable",
                                                    "outcome_unknown", "broken"};
static_assert(fault_names.size() == static_cast<std::size_t>(Fault::defect) + 1);

// sqlite:FILE and sqlite:///abs/FILE; a host makes no sense there, and a database in memory has no
// WAL.
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

std::unique_ptr<Database> open(std::string_view url, const Options& options,
                               telemetry::Registry& metrics) {
    if (url.starts_with("sqlite:"))
        return open_sqlite(sqlite_path(url.substr(7)), options, metrics);
    std::string_view server = url;
    if (server.starts_with("jdbc:")) server.remove_prefix(5);
    if (server.starts_with("postgresql://") ||
        (server == url && server.starts_with("postgres://"))) {
        return open_postgres(server, options, metrics);
    }
    // The rest may hold a password: only the scheme is shown.
    const auto scheme = url.substr(0, std::min<std::size_t>(url.find(':'), 20));
    throw std::invalid_argument(fmt::format(
        "'{}' is no database that we know: write sqlite:FILE, postgres://..., postgresql://... or "
        "jdbc:postgresql://...",
        scheme));
}

Meters::Meters(telemetry::Registry& metrics, const std::string& database)
    : flush_seconds_(metrics.histogram("trackops_sql_flush_seconds", "Round trips to the database.",
                                       {{"database", database}})),
      pool_exhausted_(metrics.counter("trackops_sql_pool_exhausted_total",
                                      "Waits for a connection that ended in vain.",
                                      {{"database", database}})),
      in_use_(metrics.gauge("trackops_sql_connections_in_use", "Connections held by transactions.",
                            {{"database", database}})) {
    for (std::size_t i = 0; i < fault_names.size(); ++i) {
        failures_[i] = &metrics.counter("trackops_sql_failures_total",
                                        "Transactions that the database failed.",
                                        {{"database", database}, {"fault", fault_names[i]}});
    }
}

void Meters::flushed(Duration took) {
    flush_seconds_.observe(std::chrono::duration<double>(took).count());
}

void Meters::pool_exhausted() { pool_exhausted_.add(); }

void Meters::failed(Fault fault) { failures_.at(static_cast<std::size_t>(fault))->add(); }

void Meters::in_use(int change) {
    const std::lock_guard lock(mutex_);
    connections_in_use_ += change;
    in_use_.set(connections_in_use_);
}

}  // namespace trackops::sql
