// Requests of the inventory API from JSON and query text; every fault named at once.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inventory/app/ports.hpp"
#include "platform/http/message.hpp"

namespace trackops::inventory::adapters {

// A SKU and what is to happen to it.
struct ItemRequest {
    std::string sku;
    domain::ItemCommand command;
};
Result<ItemRequest> read_new_item(std::string_view body);
// One line of a bulk upsert. sku is given as far as it could be read, also for a line that is
// refused.
Result<ItemRequest> read_bulk_line(std::string_view line, std::string& sku);
Result<domain::PatchItem> read_patch(std::string_view body);
Result<domain::AdjustStock> read_adjustment(std::string_view body);

// The version that If-Match names; nothing without the header or for "*". Errc::precondition_failed
// for what names none of ours.
Result<std::optional<std::int64_t>> read_if_match(const http::Request& request);

inline constexpr std::size_t list_max = 500;  // entries a page, and SKUs of an availability

template <class Filter, class Cursor>
struct ListRequest {
    Filter filter;
    std::optional<Cursor> cursor;
    std::size_t limit = 50;
};
Result<ListRequest<app::ItemFilter, std::string>> read_item_list(const http::Request& request);
Result<ListRequest<app::ReservationFilter, domain::ReservationId>> read_reservation_list(
    const http::Request& request);
struct NoFilter {};
Result<ListRequest<NoFilter, std::int64_t>> read_movement_list(const http::Request& request);
// The SKUs asked for, each once, in bytewise order.
Result<std::vector<std::string>> read_availability(const http::Request& request);

}  // namespace trackops::inventory::adapters
