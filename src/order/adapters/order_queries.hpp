// The queries of the order store: orders, lists, timelines and sagas. Each function keeps the
// promise of the OrderStore function with the same name.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "order/app/ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::order::adapters::queries {

std::vector<Result<domain::Order>> find(sql::Database& database,
                                        std::span<const domain::OrderId> ids);
Result<std::vector<domain::Order>> settled(sql::Database& database,
                                           std::span<const domain::OrderId> ids);
Result<app::Page<domain::Order, domain::OrderId>> list(sql::Database& database,
                                                       const app::OrderFilter& filter,
                                                       std::optional<domain::OrderId> after,
                                                       std::size_t limit);
Result<app::Page<domain::Order, app::UpdatedCursor>> list_updated(
    sql::Database& database, const app::OrderFilter& filter,
    std::optional<app::UpdatedCursor> after, std::size_t limit);
Result<std::vector<app::HistoryEntry>> timeline(sql::Database& database, domain::OrderId id);
Result<app::SagaOfOrder> saga(sql::Database& database, domain::SagaId id);
Result<app::Page<app::SagaOfOrder, domain::SagaId>> sagas(sql::Database& database,
                                                          const app::SagaFilter& filter,
                                                          std::optional<domain::SagaId> after,
                                                          std::size_t limit);

}  // namespace trackops::order::adapters::queries
