// Inventory as JSON, in the shapes that others rely on.
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
std::string etag_of(const domain::Item& item);
// /api/inventory/items/{sku}, percent-encoded.
std::string path_of_item(std::string_view sku);

}  // namespace trackops::inventory::adapters
