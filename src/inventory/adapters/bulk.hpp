// The bulk upsert of items: lines of NDJSON in, one outcome for each line out.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "inventory/app/ports.hpp"
#include "platform/http/bulk_lines.hpp"

namespace trackops::inventory::adapters {

inline constexpr std::size_t bulk_lines_max = 500;  // in one transaction

// Creates the items or sets their given values, in the order of the lines and in one transaction
// where possible. A line that is refused, or that the database could not save, does not affect the
// others. Appends the outcome of each line to `answer`: {line, sku?, status, version? | code,
// detail, errors?}. Returns true if no line was refused.
bool upsert_items(std::span<const http::BodyLine> lines, app::ItemStore& store, const Clock& clock,
                  Ids& ids, std::string& answer);

}  // namespace trackops::inventory::adapters
