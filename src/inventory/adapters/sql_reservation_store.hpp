// The reservation store on SQLite or PostgreSQL.
#pragma once
#include <memory>

#include "inventory/app/ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::inventory::adapters {

// The store counts in `metrics` what it has committed. Both arguments outlive it.
std::unique_ptr<app::ReservationStore> make_reservation_store(sql::Database& database,
                                                              telemetry::Registry& metrics);

}  // namespace trackops::inventory::adapters
