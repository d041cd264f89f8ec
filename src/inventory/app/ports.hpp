// The ports of the inventory use cases. Every call blocks and runs in transactions of its own.
// Results are in the order of the arguments.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/audited_act.hpp"
#include "base/request.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "inventory/domain/item.hpp"
#include "inventory/domain/reservation.hpp"

namespace trackops::inventory::app {

struct IncomingMessage {
    Uuid id;  // the id of the event, which is claimed in the inbox
    domain::OrderMessage message;
    Trace trace = {};  // the trace of the replies
};

struct MessageResult {
    std::optional<std::string> dead_letter;  // the reason for which the message is a dead letter
};

struct ReservationStore {
    virtual ~ReservationStore() = default;
    struct Step {
        domain::Decision decision;
        Uuid reply_id;
    };
    // Must not have side effects: a transaction that runs again calls it again.
    using Decide = std::function<Step(domain::Reservation&, domain::StockLevels&,
                                      const domain::OrderMessage&)>;
    // Claims the messages, reads their reservations, locks their stock levels, decides the messages
    // in sequence and saves the changes with the replies. A message that was claimed before and has
    // no effect any more changes nothing. Errc::invalid when the database refuses the data of the
    // message; Errc::unavailable: in both cases the message has had no effect.
    // Errc::outcome_unknown: the message may have had its effect and must be delivered again.
    virtual std::vector<Result<MessageResult>> handle(std::span<const IncomingMessage> messages,
                                                      const Decide& decide, Instant now) = 0;
};

struct WriteResult {
    std::optional<domain::Item> item;  // empty after a deletion
    bool is_new = false;
    // The response to the first request with the same idempotency key. When it is set, the other
    // members have no meaning.
    std::optional<RecordedResponse> replayed;
};

struct ItemWrite {
    Uuid id;  // the id of the request, by which a commit with an unknown outcome is found
    std::string sku;
    domain::ItemCommand command;
    // A repeat with the same key gets the recorded response.
    std::optional<IdempotencyKey> key = {};
    // Returns the response to record. Required with a key, otherwise not called.
    std::function<RecordedResponse(const WriteResult&)> record = {};
    AuditedActPtr act = {};
};

// Returns the memory that a queued write takes, with the copy of its command in `record`.
std::size_t bytes_of(const ItemWrite& write);

struct ItemStore {
    virtual ~ItemStore() = default;
    using Decide = std::function<Result<domain::ItemChange>(const std::optional<domain::Item>&,
                                                            const ItemWrite&)>;
    // Locks the items, decides the writes in sequence and saves the changes with their rows of the
    // ledger and of the audit log. A refused write does not affect the others. Errc::key_reused
    // when the key was used with another body; the error of `decide`; Errc::unavailable;
    // Errc::outcome_unknown.
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
    std::string category;  // "" means any
    bool low_stock = false;
    std::string words;  // a part of the name or SKU, in any case; "" means any
};

// The lists contain reservations that are or were live. A refusal is not a reservation.
struct ReservationFilter {
    std::optional<domain::OrderId> order_id;
    std::string sku;  // "" means any
    std::optional<domain::ReservationState> status;
};

// A list has at most `most` rows. Throws sql::Failure when the database is away or overloaded.
struct InventoryReader {
    virtual ~InventoryReader() = default;
    virtual std::optional<domain::Item> item(std::string_view sku) = 0;
    // Sorted by SKU; begins behind the SKU `after`, or with the first one when it is "".
    virtual std::vector<domain::Item> items(const ItemFilter& filter, std::string_view after,
                                            std::size_t most) = 0;
    // Returns the stock levels of the SKUs that exist.
    virtual domain::StockLevels stock_of(std::span<const std::string> skus) = 0;
    // The newest first; begins behind the position `before`.
    virtual std::vector<LedgerRow> movements(std::string_view sku,
                                             std::optional<std::int64_t> before,
                                             std::size_t most) = 0;
    virtual std::optional<domain::Reservation> reservation(domain::ReservationId id) = 0;
    // The newest first; begins behind the id `before`.
    virtual std::vector<domain::Reservation> reservations(
        const ReservationFilter& filter, std::optional<domain::ReservationId> before,
        std::size_t most) = 0;
};

}  // namespace trackops::inventory::app
