#include "platform/sql/meters.hpp"

#include "platform/telemetry/metrics.hpp"

namespace trackops::sql {
namespace {

// In the order of Fault.
constexpr std::array<const char*, 5> fault_names = {"bad_data", "retryable", "unavailable",
                                                    "outcome_unknown", "defect"};
static_assert(fault_names.size() == static_cast<std::size_t>(Fault::defect) + 1);

}  // namespace

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
