// The events that the bus refused, and later ones of their keys, which queue behind them; kept with
// payload in the database.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "platform/relay/relay.hpp"

namespace trackops::relay {

// Thread-safe. Everything throws sql::Failure.
class ParkedEvents {
public:
    explicit ParkedEvents(sql::Database& database) : database_(database) {}

    struct Key {
        Uuid key;
        // Its first event is not at fault: what stood before it has left, so the queue may move.
        bool can_retry = false;
    };
    std::vector<Key> keys();
    struct Counts {
        std::int64_t events = 0;
        std::int64_t keys = 0;
    };
    Counts counts();

    // An event that is parked already stays as it is. How many are new.
    std::size_t add(std::span<const ParkedEvent> events);
    void remove(std::int64_t position);
    // The event is at fault now, for this reason.
    void mark_refused(std::int64_t position, std::string_view reason, Instant now);

    std::optional<ParkedEvent> find(Uuid event_id);
    std::vector<ParkedEvent> of_key(Uuid key, std::size_t max);              // in position order
    std::vector<ParkedEvent> after(std::int64_t position, std::size_t max);  // of all keys

private:
    std::vector<ParkedEvent> read(const sql::Query& query, sql::Params params);
    void write(const sql::Query& query, sql::Params params);
    sql::Database& database_;
};

}  // namespace trackops::relay
