// What the two databases say, read at once and behind the services' backs.
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
    std::int64_t events_sent = 0;
    std::string reference;
    std::string cancel_reason;
    std::map<std::string, std::int64_t> lines;
};
struct SagaRow {
    Uuid order;
    std::string type;
    std::string status;
};
struct HistoryRow {
    Uuid order;
    std::int64_t version = 0;
    std::string from;
    std::string to;
    Uuid cause;
    Uuid event;
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

struct Ledger {
    std::map<Uuid, OrderRow> orders;
    std::vector<SagaRow> sagas;
    std::vector<HistoryRow> history;              // of an order in the order of its versions
    std::vector<EventRow> order_events;           // in the order of their positions
    std::set<Uuid> handled_by_orders;             // message ids, by the group trackops-orders
    std::set<std::string> saga_causes;            // what the clock of sagas has done
    std::map<Uuid, ReservationRow> reservations;  // by order
    std::map<std::string, StockRow> stock;
    std::vector<MovementRow> movements;  // in the order of their positions
    std::vector<EventRow> stock_events;
    std::set<Uuid> handled_by_stock;  // message ids, by the group inventory-service
};

Ledger read_ledger(sql::Database& orders, sql::Database& stock);

// An event that the bus has refused, or one that waits behind such a one.
struct ParkedRow {
    Uuid id;
    std::string reason;  // "": it waits
};
// In the order of their positions.
std::vector<ParkedRow> read_parked(sql::Database& database);

// The same for what is looked at after every step: statuses by order.
struct CurrentStatuses {
    std::map<Uuid, std::string> orders;
    std::vector<SagaRow> sagas;
    std::map<Uuid, std::string> reservations;
};
void read_order_statuses(sql::Database& orders, CurrentStatuses& into);
void read_reservation_statuses(sql::Database& stock, CurrentStatuses& into);
// SKUs whose stock is not what reservations and ledger say.
std::vector<std::string> inconsistent_skus(sql::Database& stock);

}  // namespace trackops::sim
