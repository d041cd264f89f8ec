// What the use cases of inventory need from a database, in their own words. Each call is one
// transaction; answers come in order.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/request.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "inventory/domain/item.hpp"
#include "inventory/domain/reservation.hpp"

namespace trackops::inventory::app {

struct IncomingMessage {
    Uuid id;  // of the event: what is claimed
    domain::OrderMessage message;
    Trace trace = {};  // of its replies: caused by it
};

struct MessageResult {
    std::optional<std::string> dead_letter;  // why no one can handle it
};

struct ReservationStore {
    virtual ~ReservationStore() = default;
    struct Step {
        domain::Decision decision;
        Uuid reply_id;
    };
    // Pure: a transaction that must run again asks again.
    using Decide = std::function<Step(domain::Reservation&, domain::StockLevels&,
                                      const domain::OrderMessage&)>;
    // Claims the messages, reads and locks what they concern, decides one after the other, saves it
    // all with the replies. A message that was claimed before and is settled changes nothing.
    // Errc::unavailable and its like: nothing of the message happened.
    virtual std::vector<Result<MessageResult>> handle(std::span<const IncomingMessage> messages,
                                                      const Decide& decide, Instant now) = 0;
};

struct WriteResult {
    std::optional<domain::Item> item;  // nothing: deleted
    bool is_new = false;
    std::optional<RecordedResponse>
        replayed;  // the key was answered before, with this; the rest says nothing
};

struct ItemWrite {
    Uuid id;  // of this request: a lost commit is found by it
    std::string sku;
    domain::ItemCommand command;
    std::optional<IdempotencyKey> key =
        {};  // the same again is answered with what was recorded the first time
    std::function<RecordedResponse(const WriteResult&)> record =
        {};  // what that is; with a key only
};

struct ItemStore {
    virtual ~ItemStore() = default;
    using Decide = std::function<Result<domain::ItemChange>(const std::optional<domain::Item>&,
                                                            const ItemWrite&)>;
    // Locks the items, decides one write after the other, saves what changed with its rows in the
    // ledger. A refusal concerns its own write only. Errc::key_reused for a client's key that came
    // with another body.
    virtual std::vector<Result<WriteResult>> write(std::span<const ItemWrite> writes,
                                                   const Decide& decide, Instant now) = 0;
};

struct LedgerRow {
    std::int64_t position = 0;
    domain::Movement movement;
    std::string reason;
    std::optional<domain::OrderId> order_id;
    Instant at;
};

struct ItemFilter {
    std::string category;  // "": any
    bool low_stock = false;
    std::string words;  // in name or SKU, whatever the case; "": any
};

// What may be listed: what is held, was shipped, or was given up. Refusals are no reservations.
struct ReservationFilter {
    std::optional<domain::OrderId> order_id;
    std::string sku;  // "": any
    std::optional<domain::ReservationState> status;
};

// Lists give at most `most`, those behind `after` ("": from the start).
struct InventoryReader {
    virtual ~InventoryReader() = default;
    virtual std::optional<domain::Item> item(std::string_view sku) = 0;
    virtual std::vector<domain::Item> items(const ItemFilter& filter, std::string_view after,
                                            std::size_t most) = 0;  // by SKU
    virtual domain::StockLevels stock_of(std::span<const std::string> skus) = 0;
    // Newest first; before: a position.
    virtual std::vector<LedgerRow> movements(std::string_view sku,
                                             std::optional<std::int64_t> before,
                                             std::size_t most) = 0;
    virtual std::optional<domain::Reservation> reservation(domain::ReservationId id) = 0;
    // Newest first; before: an id.
    virtual std::vector<domain::Reservation> reservations(
        const ReservationFilter& filter, std::optional<domain::ReservationId> before,
        std::size_t most) = 0;
};

}  // namespace trackops::inventory::app
