#include "inventory/adapters/reservation_metrics.hpp"

#include <algorithm>

namespace trackops::inventory::adapters {
namespace {

using domain::ReservationState;

struct Row {
    ReservationOutcome outcome;
    const char* label;
    bool ends_reservation;
};
constexpr auto rows = std::to_array<Row>({
    {ReservationOutcome::reserved, "reserved", false},
    {ReservationOutcome::out_of_stock, "out_of_stock", false},
    {ReservationOutcome::unknown_sku, "unknown_sku", false},
    {ReservationOutcome::cancelled_first, "cancelled_first", false},
    {ReservationOutcome::not_reserved, "not_reserved", false},
    {ReservationOutcome::fulfilled, "fulfilled", true},
    {ReservationOutcome::released, "released", true},
});
static_assert([] {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (static_cast<std::size_t>(rows[i].outcome) != i) return false;
    return rows.size() == reservation_outcome_count;
}());

ReservationOutcome refusal_of(const domain::Reservation& reservation) {
    if (reservation.shortages.empty()) return ReservationOutcome::not_reserved;
    const bool has_unknown = std::ranges::any_of(reservation.shortages, [](const auto& shortage) {
        return shortage.reason == domain::ShortageReason::unknown_sku;
    });
    return has_unknown ? ReservationOutcome::unknown_sku : ReservationOutcome::out_of_stock;
}

}  // namespace

std::optional<ReservationOutcome> outcome_of(ReservationState before,
                                             const domain::Reservation& after) {
    if (after.state == before) return std::nullopt;
    switch (after.state) {
        case ReservationState::absent:
            return std::nullopt;
        case ReservationState::reserved:
            return ReservationOutcome::reserved;
        case ReservationState::refused:
            return refusal_of(after);
        case ReservationState::released:
        case ReservationState::expired:
            return ReservationOutcome::released;
        case ReservationState::fulfilled:
            return ReservationOutcome::fulfilled;
        case ReservationState::cancelled_first:
            return ReservationOutcome::cancelled_first;
    }
    return std::nullopt;
}

ReservationMetrics::ReservationMetrics(telemetry::Registry& metrics) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const telemetry::Labels labels{{"outcome", rows[i].label}};
        counters_.at(i) = rows[i].ends_reservation
                              ? &metrics.counter("trackops_reservations_ended_total",
                                                 "Reservations ended, by outcome.", labels)
                              : &metrics.counter("trackops_reservations_total",
                                                 "Requests for a reservation, by outcome.", labels);
    }
}

void ReservationMetrics::add(const ReservationOutcomes& outcomes) {
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes.at(i) > 0) counters_.at(i)->add(outcomes.at(i));
    }
}

}  // namespace trackops::inventory::adapters
