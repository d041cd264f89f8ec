// The JSON of orders and sagas in the API (contracts: Order, Saga).
#pragma once
#include <string>
#include <vector>

#include "order/app/ports.hpp"

namespace trackops::json {
class Writer;
}

namespace trackops::order::adapters {

void write_order(json::Writer& out, const domain::Order& order);
void write_adjustments(json::Writer& out, const std::vector<domain::Adjustment>& adjustments);
// Without lines, address, instructions and metadata.
void write_order_summary(json::Writer& out, const domain::Order& order);
void write_address(json::Writer& out, const domain::Address& address);
// The same without the braces, inside an object of the caller.
void write_address_members(json::Writer& out, const domain::Address& address);
// An array of {sku, requested, available, reason}.
void write_shortages(json::Writer& out, const std::vector<domain::Shortage>& shortages);
// One entry of an order's timeline.
void write_history_entry(json::Writer& out, const app::HistoryEntry& entry);
void write_saga(json::Writer& out, const app::SagaOfOrder& saga);
std::string order_json(const domain::Order& order);
// The members of the order that a client may change, as GET shows them.
std::string details_json(const domain::OrderDetails& details);
// {id, status, version, updatedAt, cancelReason?}
std::string status_json(const domain::Order& order);
// Returns the ETag, which is the version.
std::string etag_of(const domain::Order& order);
// Returns the path for the header Location.
std::string path_of(domain::OrderId id);
// Returns the response to a request that has placed (201) or changed (200) the order, as it is
// recorded under the request's idempotency key. An app::Respond.
RecordedResponse recorded_response(int status, const domain::Order& order);

}  // namespace trackops::order::adapters
