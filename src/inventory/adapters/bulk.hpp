// The bulk upsert of items: lines of NDJSON in, one outcome for each line out.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "inventory/adapters/read_requests.hpp"
#include "inventory/app/ports.hpp"
#include "platform/http/stream.hpp"

namespace trackops::inventory::adapters {

inline constexpr std::size_t bulk_lines_max = 500;  // in one transaction
// SKUs of one stream that are remembered, to tell a SKU that stands in it twice; less than 10 MB.
inline constexpr std::size_t bulk_skus_remembered_max = 50'000;

// The SKUs of a stream with the number of the line on which each stood first.
class StreamSkus {
public:
    // Returns the number of the earlier line with the SKU; 0 if there is none. Remembers the first
    // bulk_skus_remembered_max SKUs.
    std::int64_t first_line_of(const std::string& sku, std::int64_t line);

private:
    std::unordered_map<std::string, std::int64_t> lines_;
};

// The state of one bulk request. The references outlive it.
struct BulkUpsert {
    app::ItemStore& store;
    const Clock& clock;
    Ids& ids;
    BulkMode mode = BulkMode::catalogue;
    AuditedActPtr act = {};
    StreamSkus skus = {};
};

// Creates the items or sets their given values, in the order of the lines and in one transaction
// where possible. A line that is refused, or that the database could not save, does not affect the
// others. Appends the outcome of each line to `answer`: {line, sku?, sameSkuAsLine?, status,
// version?, onHand?, note? | code, detail, errors?}. Returns true if no line was refused.
bool upsert_items(std::span<const http::BodyLine> lines, BulkUpsert& bulk, std::string& answer);

}  // namespace trackops::inventory::adapters
