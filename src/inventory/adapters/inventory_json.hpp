// The JSON of items, reservations and the ledger in the API.
#pragma once
#include <string>
#include <string_view>

#include "inventory/app/ports.hpp"
#include "platform/json/writer.hpp"

namespace trackops::inventory::adapters {

void write_json(json::Writer& out, const domain::Item& item);
void write_json(json::Writer& out, const domain::Reservation& reservation);
void write_json(json::Writer& out, const app::LedgerRow& row);

std::string item_json(const domain::Item& item);
// Returns the ETag, which is the version.
std::string etag_of(const domain::Item& item);
// Returns /api/inventory/items/{sku}, percent-encoded.
std::string path_of_item(std::string_view sku);

}  // namespace trackops::inventory::adapters
