// The metrics of the database drivers.
#pragma once
#include <array>
#include <mutex>
#include <string>

#include "platform/sql/database.hpp"

namespace trackops::telemetry {
class Counter;
class Gauge;
class Histogram;
}  // namespace trackops::telemetry

namespace trackops::sql {

// The metrics that both drivers share, labelled with the name of the database (the stem of the
// file, or the dbname of PostgreSQL). Thread-safe.
class Meters {
public:
    Meters(telemetry::Registry& metrics, const std::string& database);
    void flushed(Duration took);
    void pool_exhausted();     // the wait for a connection timed out
    void failed(Fault fault);  // a Failure was thrown
    void in_use(int change);   // +1: a connection was taken, -1: it was returned

private:
    telemetry::Histogram& flush_seconds_;
    telemetry::Counter& pool_exhausted_;
    std::array<telemetry::Counter*, 5> failures_{};
    telemetry::Gauge& in_use_;
    std::mutex mutex_;
    int connections_in_use_ = 0;
};

}  // namespace trackops::sql
