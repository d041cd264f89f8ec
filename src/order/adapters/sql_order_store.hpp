// The order store on SQLite or PostgreSQL.
#pragma once
#include <memory>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "order/app/ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::order::adapters {

// Returns a store on the database, whose schema must be up to date. `ids` makes the ids of events;
// `clock` gives the time of claims and idempotency keys. It counts in `metrics` what it has
// committed. The responses under idempotency keys are those of `respond`, which runs within a
// transaction. With `external_ref_is_unique` an order whose external reference another order of
// its customer has is Errc::conflict. All arguments outlive the store.
std::unique_ptr<app::OrderStore> make_sql_order_store(sql::Database& database, const Clock& clock,
                                                      Ids& ids, telemetry::Registry& metrics,
                                                      app::Respond respond,
                                                      bool external_ref_is_unique = false);

}  // namespace trackops::order::adapters
