// The readers of the inventory API's requests: JSON bodies and queries. An error is Errc::malformed
// for a body that is not JSON, else Errc::invalid, and names every fault at once.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inventory/app/ports.hpp"
#include "platform/http/bulk_lines.hpp"
#include "platform/http/message.hpp"

namespace trackops::inventory::adapters {

// A command on the item with the SKU.
struct ItemRequest {
    std::string sku;
    domain::ItemCommand command;
};
Result<ItemRequest> read_new_item(std::string_view body);
// The effect of a bulk upsert on the counts of items that exist.
enum class BulkMode : std::uint8_t {
    catalogue,  // keeps them: `onHand` is the count of new items alone
    set,        // sets them: each line has `onHand` and `expectedOnHand`
};
struct BulkRequest {
    http::ErrorPolicy error_policy = http::ErrorPolicy::ignore;
    BulkMode mode = BulkMode::catalogue;
};
// Reads the query of a bulk upsert.
Result<BulkRequest> read_bulk_request(const http::Request& request);
// Reads one line of a bulk upsert. Sets `sku` as far as it can be read, also when the line is
// refused.
Result<ItemRequest> read_bulk_line(std::string_view line, BulkMode mode, std::string& sku);
Result<domain::PatchItem> read_patch(std::string_view body);
Result<domain::AdjustStock> read_adjustment(std::string_view body);

inline constexpr std::size_t availability_skus_max = 500;

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
// Returns the requested SKUs, each once, in bytewise order; at most availability_skus_max.
Result<std::vector<std::string>> read_availability(const http::Request& request);
// The same from a body {"skus": [...]}.
Result<std::vector<std::string>> read_availability(std::string_view body);

}  // namespace trackops::inventory::adapters
