#pragma once
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "order/app/ports.hpp"

namespace trackops::order::app {

struct ReservationReply {
    domain::OrderId id;
    Uuid message;
    domain::ReservationOutcome answer = domain::ReservationOutcome::reserved;
    Trace trace;
    std::vector<domain::Shortage> shortages = {};  // of a refusal
};

// Applies inventory's replies to their orders. Returns one result for each reply, in order. A
// message that was handled before changes nothing. Errors: as OrderStore::update().
std::vector<Result<SaveResult>> settle_reservations(std::span<const ReservationReply> replies,
                                                    OrderStore& store, const Clock& clock,
                                                    const domain::SagaTimeouts& timeouts);

}  // namespace trackops::order::app
