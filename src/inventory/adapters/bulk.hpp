// Bulk upsert of items: NDJSON in, one outcome a line out.
#pragma once
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "inventory/app/ports.hpp"

namespace trackops::inventory::adapters {

inline constexpr std::size_t bulk_lines_max = 500;  // a transaction
inline constexpr std::size_t bulk_line_bytes_max = 64 * 1024;

// Creates the items or sets what is given of them, in the order of the lines; empty lines are
// skipped. A line that is refused, or that the database could not take, says so and concerns no
// other. Outcomes: {line, sku?, status, version? | code, detail, errors?}.
std::string upsert_items(std::string_view ndjson, app::ItemStore& store, const Clock& clock,
                         Ids& ids);

}  // namespace trackops::inventory::adapters
