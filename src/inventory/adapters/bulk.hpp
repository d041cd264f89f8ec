// The bulk upsert of items: NDJSON in, one outcome for each line out.
#pragma once
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "inventory/app/ports.hpp"

namespace trackops::inventory::adapters {

inline constexpr std::size_t bulk_lines_max = 500;  // in one transaction
inline constexpr std::size_t bulk_line_bytes_max = 64 * 1024;

// Creates the items or sets their given values, in the order of the lines. Skips empty lines. A
// line that is refused, or that the database could not save, has an error as its outcome and does
// not affect the others. Returns NDJSON with one outcome for each line: {line, sku?, status,
// version? | code, detail, errors?}.
std::string upsert_items(std::string_view ndjson, app::ItemStore& store, const Clock& clock,
                         Ids& ids);

}  // namespace trackops::inventory::adapters
