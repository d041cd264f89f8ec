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
};

// What inventory answered becomes the order's state. One answer each, in order; a message handled
// before changes nothing.
std::vector<Result<SaveResult>> settle_reservations(std::span<const ReservationReply> replies,
                                                    OrderStore& store, const Clock& clock,
                                                    const domain::SagaTimeouts& timeouts);

}  // namespace trackops::order::app
