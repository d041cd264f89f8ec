// What stands behind `trackops verify`: asks both databases whether all that must be true is true.
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
    bool is_at_rest = false;  // nothing is under way: what is not over is broken
    // A shipment may be on its way to stock for so long; counted from the order's last change.
    Duration in_flight = std::chrono::minutes(15);
    Instant now;
    std::function<void()> wait_before_recheck = [] {};
};

// What orders and reservations say of each other. Not at rest, only what a second look finds as it
// was counts. One finding a rule. Throws sql::Failure.
std::vector<audit::InvariantResult> check_agreement(const Databases& databases,
                                                    const VerifyOptions& terms);

// `trackops verify`: 0 when nothing is broken; 3 when something is; 2 for bad arguments; 1 when a
// database cannot be asked.
int command(std::span<const std::string> arguments, std::span<const std::string> environment);

}  // namespace trackops::verify
