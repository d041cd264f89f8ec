// Reads the contents of both databases directly, without the services, for the invariants.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/uuid.hpp"
#include "platform/sql/database.hpp"

namespace trackops::sim {

struct OrderRow {
    std::string status;
    std::int64_t version = 0;
    std::int64_t revision = 0;
    std::int64_t events_sent = 0;
    std::string reference;
    std::string cancel_reason;
    std::string instructions;
    std::string tracking_number;
    std::string shipping_address;  // as JSON
    std::map<std::string, std::int64_t> lines;
};
struct SagaRow {
    Uuid order;
    std::string type;
    std::string status;
};
struct HistoryRow {
    Uuid order;
    std::int64_t revision = 0;
    std::int64_t version = 0;
    std::string type;
    std::string status;         // after the event
    std::int64_t sequence = 0;  // of the public event; 0 without one
    std::optional<Uuid> event;
    std::string cause;
    std::string correlation;
};
struct EventRow {
    Uuid id;
    Uuid order;
    std::string type;
    std::int64_t sequence = 0;
    std::string cause;
    std::string correlation;
};
struct ReservationRow {
    std::string status;
    std::int64_t replies = 0;
    std::map<std::string, std::int64_t> lines;
};
struct StockRow {
    std::int64_t on_hand = 0;
    std::int64_t reserved = 0;
};
struct MovementRow {
    std::string sku;
    std::int64_t delta = 0;
    std::int64_t on_hand_after = 0;
    std::string reason;
    std::optional<Uuid> order;
};

struct AddressRow {
    std::string line1;
    bool is_default = false;
};
struct CustomerRow {
    std::string name;
    std::int64_t version = 0;
    std::map<std::string, AddressRow> addresses;  // by id
};

struct Ledger {
    std::map<Uuid, OrderRow> orders;
    std::vector<SagaRow> sagas;
    // Sorted by order, then by revision.
    std::vector<HistoryRow> history;
    std::vector<EventRow> order_events;  // by position
    // Ids of the messages that the group trackops-orders has handled.
    std::set<Uuid> handled_by_orders;
    // The causes of the changes that saga timers made.
    std::set<std::string> saga_causes;
    std::map<std::string, CustomerRow> customers;  // by id
    // The bodies that are recorded for keys of the registrar.
    std::vector<std::string> recorded_bodies;
    std::map<Uuid, ReservationRow> reservations;  // by order
    std::map<std::string, StockRow> stock;
    std::vector<MovementRow> movements;  // by position
    std::vector<EventRow> stock_events;
    // Ids of the messages that the group inventory-service has handled.
    std::set<Uuid> handled_by_stock;
};

Ledger read_ledger(sql::Database& orders, sql::Database& stock);

// A parked event: one that the bus has refused, or one that waits behind a refused one.
struct ParkedRow {
    Uuid id;
    std::string reason;  // "": the event only waits
};
// Returns the parked events, by position.
std::vector<ParkedRow> read_parked(sql::Database& database);

// The part of the ledger that is examined after every step: statuses by order.
struct CurrentStatuses {
    std::map<Uuid, std::string> orders;
    std::vector<SagaRow> sagas;
    std::map<Uuid, std::string> reservations;
};
void read_order_statuses(sql::Database& orders, CurrentStatuses& into);
void read_reservation_statuses(sql::Database& stock, CurrentStatuses& into);
// Returns the SKUs whose stock level contradicts the reservations or the stock movements.
std::vector<std::string> inconsistent_skus(sql::Database& stock);

}  // namespace trackops::sim
