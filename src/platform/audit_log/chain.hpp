// The audit log: rows that nobody may change, each with the hash of the one before it.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "platform/audit/check_all.hpp"
#include "platform/sql/database.hpp"

namespace trackops::audit_log {

struct Entry {
    Instant at;
    std::string service;           // e.g. order-service
    std::string actor;             // e.g. operator:ann
    std::string address = {};      // of the client; "" if it is not known
    std::string action;            // e.g. POST /api/relay/pause, login
    std::string subject = {};      // e.g. the path, or the name that was typed
    std::string outcome;           // the status of the answer
    std::int64_t occurrences = 1;  // of refusals that one row counts
    std::string correlation_id = {};
    bool operator==(const Entry&) const = default;
};

struct Row {
    std::int64_t position = 0;
    Entry entry;
    std::string previous_hash;
    std::string hash;
};

// Returns the SHA-256 of all that the row says, in hex.
std::string hash_of(std::int64_t position, const Entry& entry, const std::string& previous_hash);

// Appends rows in the caller's transaction. Locks the head of the log, so it must be the last that
// locks: behind orders, sagas, reservations and stock levels. Flushes the transaction.
void append(sql::Transaction& tx, std::span<const Entry> entries);

// Returns at most `max` rows below a position, the newest first.
std::vector<Row> read_below(sql::Transaction& tx, std::int64_t position, std::size_t max);

// Checks the whole chain in one snapshot: each row has its hash, the hash of the one before it, and
// the next number, and the head is the last row. Names each row that was changed, deleted, swapped
// or put in. Somebody who can write all rows and the head, and computes the hashes anew, is not
// noticed. Throws sql::Failure.
audit::InvariantResult check(sql::Database& database);

}  // namespace trackops::audit_log
