// Implements `trackops load`: plays order events or stock items from NDJSON over HTTP and reports
// the result.
#pragma once
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "load/report.hpp"
#include "platform/access/client_session.hpp"

namespace trackops::load {

struct LoadOptions {
    std::string order_url = "http://127.0.0.1:8080";
    std::string inventory_url = "http://127.0.0.1:8081";
    Secret key = {};           // empty: the services ask for none
    std::string ca_file = {};  // the CAs of https URLs; "": those of the system
    std::optional<access::ClientSession> session = {};  // counts without a key
    // The input holds stock items, not order events.
    bool items = false;
    // The maximum number of requests in flight.
    std::size_t concurrency = 64;
    // 0: no rate limit; steps are sent as fast as the concurrency allows.
    std::int64_t rate_per_second = 0;
    // How long to wait for confirmations after the last response.
    Duration wait = std::chrono::seconds(60);
};

// Called at regular intervals while order events are played, or after each chunk of items. `share`
// is the part of the input that has been read, from 0 to 1; negative if the input's size is
// unknown.
using Progress = std::function<void(const LoadReport& so_far, double share)>;

struct Input {
    std::istream& lines;
    // The size of the input; -1 if unknown (a pipe).
    std::int64_t bytes = -1;
};

struct ProgressOptions {
    Progress show;
    Duration every = std::chrono::seconds(5);
};

// Runs on the calling thread until every call is answered and every order has left PENDING or
// options.wait has passed. The calls of one order are sent in the order of the input: a cancel
// waits for the response to its order. Calls of different orders run concurrently. Each call
// carries an idempotency key, so that a retry after 503 or a lost connection has no second effect.
// If a call gets no response after all its retries, the rest of the input is not played. Returns
// Errc::invalid for a URL or a key that make_http_client refuses.
Result<LoadReport> run_load(const LoadOptions& options, Input input,
                            const ProgressOptions& progress);

}  // namespace trackops::load
