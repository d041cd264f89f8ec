// The reading half of the order store: lists, timelines, sagas.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "order/app/ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::order::queries {

std::vector<Result<Order>> find(sql::Database& database, std::span<const OrderId> ids);
Result<std::vector<Order>> settled(sql::Database& database, std::span<const OrderId> ids);
Result<Page<Order, OrderId>> list(sql::Database& database, const OrderFilter& filter,
                                  std::optional<OrderId> after, std::size_t limit);
Result<std::vector<HistoryEntry>> timeline(sql::Database& database, OrderId id);
Result<SagaOfOrder> saga(sql::Database& database, SagaId id);
Result<Page<SagaOfOrder, SagaId>> sagas(sql::Database& database, const SagaFilter& filter,
                                        std::optional<SagaId> after, std::size_t limit);

}  // namespace trackops::order::queries
