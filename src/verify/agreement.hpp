// Compares the order database with the inventory database for `trackops verify`.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "platform/audit/check_all.hpp"

namespace trackops::verify {

struct Databases {
    sql::Database& orders;
    sql::Database& stock;
};

struct VerifyOptions {
    // The system is at rest: nothing is in progress, so anything unfinished is a violation.
    bool is_at_rest = false;
    // How long a shipment may take to reach the inventory, counted from the last change of the
    // order.
    Duration in_flight = std::chrono::minutes(15);
    Instant now;
    std::function<void()> wait_before_recheck = [] {};
};

// Checks what the orders and the reservations say about each other. Returns one result for each
// rule. If the system is not at rest, a difference counts only if a second look after
// wait_before_recheck finds it unchanged; beyond 10,000 suspects, differences count at once. A
// reservation without an order always counts at once. Throws sql::Failure.
std::vector<audit::InvariantResult> check_agreement(const Databases& databases,
                                                    const VerifyOptions& terms);

}  // namespace trackops::verify
