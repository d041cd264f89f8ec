// What open.cpp and the two drivers share; nobody else includes this.
#pragma once
#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "platform/sql/database.hpp"

namespace trackops::telemetry {
class Counter;
class Gauge;
class Histogram;
}  // namespace trackops::telemetry

namespace trackops::sql {

// path: a file, made with its folder when missing.
std::unique_ptr<Database> open_sqlite(std::string_view path, const Options& options,
                                      telemetry::Registry& metrics);
// url: postgres://... or postgresql://... (jdbc: is already taken off); std::invalid_argument when
// it cannot be read.
std::unique_ptr<Database> open_postgres(std::string_view url, const Options& options,
                                        telemetry::Registry& metrics);

// What both drivers count, labelled with the database's name (a file's stem, or PostgreSQL's
// dbname). Thread-safe.
class Meters {
public:
    Meters(telemetry::Registry& metrics, const std::string& database);
    void flushed(Duration took);
    void pool_exhausted();     // somebody waited for a connection in vain
    void failed(Fault fault);  // a Failure was thrown
    void in_use(int change);   // +1 a connection was taken, -1 it came back

private:
    telemetry::Histogram& flush_seconds_;
    telemetry::Counter& pool_exhausted_;
    std::array<telemetry::Counter*, 5> failures_{};
    telemetry::Gauge& in_use_;
    std::mutex mutex_;
    int connections_in_use_ = 0;
};

}  // namespace trackops::sql
