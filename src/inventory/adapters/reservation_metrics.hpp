// The metrics of reservations.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "inventory/domain/reservation.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::inventory::adapters {

// The effect of a message on a reservation. The first five are the outcomes of an order's request,
// of which each order has one; the last two end a reservation.
enum class ReservationOutcome : std::uint8_t {
    reserved,
    out_of_stock,
    unknown_sku,      // out of stock, for at least one SKU that does not exist
    cancelled_first,  // the order was cancelled before it was to be reserved
    not_reserved,     // the order was shipped before it was to be reserved
    fulfilled,
    released,
};
inline constexpr std::size_t reservation_outcome_count = 7;

// Returns the outcome of the message that found the reservation in the state `before`; nothing when
// the message has not changed the state.
std::optional<ReservationOutcome> outcome_of(domain::ReservationState before,
                                             const domain::Reservation& after);

// The number of messages with each outcome.
using ReservationOutcomes = std::array<int, reservation_outcome_count>;

// Counts what a transaction has saved. Call add() after the commit: what is rolled back counts
// nothing. A message whose commit has an unknown outcome is not counted when a later run finds it
// handled, so the counters never count twice. Thread-safe.
class ReservationMetrics {
public:
    // `metrics` outlives this object.
    explicit ReservationMetrics(telemetry::Registry& metrics);
    void add(const ReservationOutcomes& outcomes);

private:
    std::array<telemetry::Counter*, reservation_outcome_count> counters_{};
};

}  // namespace trackops::inventory::adapters
