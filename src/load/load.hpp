// What stands behind `trackops load`: plays order events or stock items from NDJSON over HTTP and
// says how it went.
#pragma once
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"

namespace trackops::load {

struct LoadOptions {
    std::string order_url = "http://127.0.0.1:8080";
    std::string inventory_url = "http://127.0.0.1:8081";
    bool items = false;                        // the input is stock items, not order events
    std::size_t concurrency = 64;              // requests under way at once
    std::int64_t rate_per_second = 0;          // 0: as fast as they are accepted
    Duration wait = std::chrono::seconds(60);  // for confirmation, after the last answer
};

struct Percentiles {
    std::int64_t count = 0;
    Duration p50{};
    Duration p99{};
    Duration max{};
};

using Counts = std::map<std::string, std::int64_t>;

// How one kind of call went. asked = done + refused + failed once the run has ended.
struct CallCounts {
    std::int64_t asked = 0;
    std::int64_t done = 0;
    std::int64_t failed = 0;  // no usable answer, however often it was tried
    Counts refused;           // 4xx, by the problem's code
};

struct LoadReport {
    CallCounts orders;
    CallCounts cancels;
    CallCounts adjustments;
    CallCounts items;
    std::int64_t replayed = 0;  // of orders.done: answered from an earlier run under the same key
    std::int64_t confirmed = 0;
    Counts cancelled;             // by reason
    std::int64_t pending = 0;     // accepted, and not seen to leave PENDING in time
    std::int64_t lost = 0;        // accepted, and unknown to the server afterwards
    Counts not_sent;              // refused by the input itself, by its reason
    std::int64_t unreadable = 0;  // lines that are no event
    std::int64_t unplayed = 0;    // lines left when the run gave up because a server stayed away
    std::int64_t retried = 0;     // calls made again
    bool from_intended_start =
        false;  // to_accepted and to_seen count from when a call should have left
    Percentiles to_accepted;
    Percentiles to_confirmed;  // by the server's clock: createdAt to updatedAt
    Percentiles
        to_seen;  // by our clock: sent to first seen confirmed, late by the polling interval
    Duration accepting{};  // from the first order sent to the last one accepted
    Duration duration{};
    std::vector<std::string> examples;  // of refusals and failures, the first few of each kind

    // Nothing stayed PENDING, got lost or failed for good. A refusal is an answer.
    bool has_succeeded() const;
    double orders_per_second() const;
};

// Called now and then while it runs; share is how much of the input has been read, negative when
// nobody knows.
using Progress = std::function<void(const LoadReport& so_far, double share)>;

struct Input {
    std::istream& lines;
    std::int64_t bytes = -1;  // -1: not known (a pipe)
};

struct ProgressOptions {
    Progress show;
    Duration every = std::chrono::seconds(5);
};

// Runs on the calling thread until every call is answered and every order has left PENDING or
// options.wait has passed. An order's calls keep their order (a cancel waits for the answer to its
// order); others run side by side. Each call carries a key, so that trying it again after 503 or a
// lost connection cannot double it.
Result<LoadReport> run_load(const LoadOptions& options, Input input,
                            const ProgressOptions& progress);

std::string print(const LoadReport& report);    // for people
std::string to_json(const LoadReport& report);  // one object

// `trackops load FILE|- [--items] [--rate N] ...`: reads the arguments, plays, prints. The
// program's exit code: 0; 1 when the report is not good; 2 when the arguments or the file are not
// usable.
int command(std::span<const std::string> arguments, std::span<const std::string> environment);

}  // namespace trackops::load
