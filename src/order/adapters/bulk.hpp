// The bulk placement of orders: lines of NDJSON in, one outcome for each line out.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "order/adapters/http_api.hpp"
#include "platform/http/bulk_lines.hpp"

namespace trackops::order::adapters {

inline constexpr std::size_t bulk_lines_max = 128;  // in one transaction

// Places an order for each line through the queue, as POST /api/orders does, and waits until all
// have an outcome. A refused line does not affect the others. Appends the outcome of each line to
// `answer`: {line, idempotencyKey?, status, id?, version?, replayed? | code, detail, errors?}.
// Returns true if no line was refused. A line without a key is refused with
// Errc::precondition_required.
bool place_order_lines(std::span<const http::BodyLine> lines, const http::Request& request,
                       const ApiDependencies& dependencies, std::string& answer);

}  // namespace trackops::order::adapters
