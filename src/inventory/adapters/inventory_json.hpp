// Inventory as JSON, in the shapes that others rely on.
#pragma once
#include <string>
#include <string_view>

#include "inventory/app/ports.hpp"
#include "platform/json/writer.hpp"

namespace trackops::inventory {

void write_json(json::Writer& out, const Item& item);
void write_json(json::Writer& out, const Reservation& reservation);
void write_json(json::Writer& out, const LedgerRow& row);

std::string item_json(const Item& item);
std::string etag_of(const Item& item);
// /api/inventory/items/{sku}, percent-encoded.
std::string path_of_item(std::string_view sku);

}  // namespace trackops::inventory
