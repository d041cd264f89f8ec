// Orders and sagas as the API shows them (contracts: Order, Saga).
#pragma once
#include <string>

#include "order/app/ports.hpp"

namespace trackops::json {
class Writer;
}

namespace trackops::order {

void write_order(json::Writer& out, const Order& order);
void write_address(json::Writer& out, const Address& address);
void write_saga(json::Writer& out, const SagaOfOrder& saga);
std::string order_json(const Order& order);
std::string status_json(const Order& order);  // {id, status, version, updatedAt, cancelReason?}
std::string etag_of(const Order& order);
std::string path_of(OrderId id);

}  // namespace trackops::order
