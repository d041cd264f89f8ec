// Parked events: the events that the bus refused, and the later events of their keys, which queue
// behind them. The database keeps them with their payloads.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "platform/relay/relay.hpp"

namespace trackops::audit_log {
class Acts;
}

namespace trackops::relay {

// Thread-safe. Every function throws sql::Failure.
class ParkedEvents {
public:
    explicit ParkedEvents(sql::Database& database) : database_(database) {}

    struct Key {
        Uuid key;
        // The first event of the queue was not refused: those before it have left, so the queue may
        // move.
        bool can_retry = false;
    };
    std::vector<Key> keys();
    struct Counts {
        std::int64_t events = 0;
        std::int64_t keys = 0;
    };
    Counts counts();

    // Parks the events; one that is parked already stays as it is. Returns the number of new ones.
    // Parks nothing and returns nullopt when the holder does not hold the lease: the relay that
    // holds it remembers the parked keys and would not learn of another one.
    std::optional<std::size_t> add(std::span<const ParkedEvent> events, std::string_view holder);
    // These do nothing and return false when the holder does not hold the lease.
    bool remove(std::int64_t position, std::string_view holder, const AuditedActPtr& act,
                Instant now);
    // Records that the bus has refused the event.
    bool mark_refused(std::int64_t position, std::string_view reason, Instant now,
                      std::string_view holder);

    std::optional<ParkedEvent> find(Uuid event_id);
    std::vector<ParkedEvent> of_key(Uuid key, std::size_t max);              // in position order
    std::vector<ParkedEvent> after(std::int64_t position, std::size_t max);  // of all keys

private:
    std::vector<ParkedEvent> read(const sql::Query& query, sql::Params params);
    bool write(const sql::Query& query, sql::Params params, std::string_view holder,
               const audit_log::Acts& acts, Instant now);
    sql::Database& database_;
};

}  // namespace trackops::relay
