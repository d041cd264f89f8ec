// The result of a load run.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/instant.hpp"

namespace trackops::load {

struct Percentiles {
    std::int64_t count = 0;
    Duration p50{};
    Duration p99{};
    Duration max{};
};

using Counts = std::map<std::string, std::int64_t>;

// The results of one kind of call. asked = done + refused + failed once the run has ended.
struct CallCounts {
    std::int64_t asked = 0;
    std::int64_t done = 0;
    // Calls without a usable response after all retries.
    std::int64_t failed = 0;
    // 4xx responses by the problem's code.
    Counts refused;
};

struct LoadReport {
    CallCounts orders;
    CallCounts cancels;
    CallCounts adjustments;
    CallCounts items;
    // The part of orders.done that is a replayed response of an earlier run under the same key.
    std::int64_t replayed = 0;
    std::int64_t confirmed = 0;
    // By cancellation reason.
    Counts cancelled;
    // Accepted orders that were not seen to leave PENDING in time.
    std::int64_t pending = 0;
    // Accepted orders that the server did not know afterwards.
    std::int64_t lost = 0;
    // Lines that the input itself marks as refused, by reason.
    Counts not_sent;
    // Lines that are not an event.
    std::int64_t unreadable = 0;
    // Lines left in the input when the run stopped because a server stayed unreachable.
    std::int64_t unplayed = 0;
    // The number of retries.
    std::int64_t retried = 0;
    // Whether to_accepted and to_seen start at the intended time of the call (true with a rate
    // limit) instead of the actual one.
    bool from_intended_start = false;
    Percentiles to_accepted;
    // From createdAt to updatedAt, by the server's clock.
    Percentiles to_confirmed;
    // From the start of the call to the first time it was seen confirmed, by the client's clock.
    // Includes up to one polling interval.
    Percentiles to_seen;
    // From the first order sent to the last one accepted.
    Duration accepting{};
    Duration duration{};
    // The first few refusals and failures of each kind.
    std::vector<std::string> examples;

    // Returns whether no order stayed PENDING or got lost, no call failed for good and every line
    // was played. A refusal counts as an answer.
    bool has_succeeded() const;
    double orders_per_second() const;
};

// Formats the report for people.
std::string print(const LoadReport& report);
// Formats the report as one JSON object.
std::string to_json(const LoadReport& report);

}  // namespace trackops::load
