// A saga accompanies an order through what takes more than one service. It is a row and a table:
// every (state, signal) pair has an answer.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.hpp"
#include "base/instant.hpp"

namespace trackops::order::domain {

using SagaId = Id<struct SagaTag>;

enum class SagaType : std::uint8_t { fulfilment, cancellation };
// COMPENSATED only when every undo is acknowledged; BLOCKED when a person is needed.
enum class SagaStatus : std::uint8_t { running, completed, compensating, compensated, blocked };
enum class Signal : std::uint8_t {
    reserved,      // INVENTORY_RESERVED
    refused,       // INVENTORY_RESERVATION_FAILED, out of stock: nothing is held
    not_reserved,  // INVENTORY_RESERVATION_FAILED, a shipment found no live reservation
    released,      // INVENTORY_RELEASED: nothing is held any more
    cancelled,     // the order was cancelled by somebody else than this saga
    retry_due,     // no answer yet, the backoff has passed
    deadline,      // no answer, and no more patience
};
// What a transition asks of the order.
enum class SagaAction : std::uint8_t {
    nothing,
    confirm,
    cancel_out_of_stock,
    cancel_timed_out,
    resend_created,
    resend_cancelled
};

inline constexpr std::size_t saga_type_count = 2;
inline constexpr std::size_t saga_status_count = 5;
inline constexpr std::size_t signal_count = 7;

struct SagaRule {
    SagaType type;
    SagaStatus from;
    Signal signal;
    SagaStatus to;
    SagaAction saga_action = SagaAction::nothing;
};
// Exactly one rule for each of the 70 combinations: proved in saga.cpp.
const SagaRule& rule_for(SagaType type, SagaStatus from, Signal signal);

enum class StepStatus : std::uint8_t { pending, running, done, failed, skipped };

inline constexpr auto saga_type_names =
    std::to_array<std::string_view>({"ORDER_FULFILMENT", "ORDER_CANCELLATION"});
inline constexpr auto saga_status_names = std::to_array<std::string_view>(
    {"RUNNING", "COMPLETED", "COMPENSATING", "COMPENSATED", "BLOCKED"});
inline constexpr auto step_status_names =
    std::to_array<std::string_view>({"PENDING", "RUNNING", "DONE", "FAILED", "SKIPPED"});
static_assert(saga_type_names.size() == saga_type_count &&
              saga_status_names.size() == saga_status_count);

constexpr std::string_view name_of(SagaType type) {
    return saga_type_names[static_cast<std::size_t>(type)];
}
constexpr std::string_view name_of(SagaStatus status) {
    return saga_status_names[static_cast<std::size_t>(status)];
}
constexpr std::string_view name_of(StepStatus status) {
    return step_status_names[static_cast<std::size_t>(status)];
}

struct SagaStep {
    std::string_view name;  // reserve, confirm, cancel, release
    StepStatus status = StepStatus::pending;
    std::int64_t attempts = 0;
    std::optional<Instant> started_at;
    std::optional<Instant> finished_at;
    std::optional<std::string> last_error;
    bool operator==(const SagaStep&) const = default;
};

struct Saga {
    SagaId id;
    SagaType type = SagaType::fulfilment;
    SagaStatus status = SagaStatus::running;
    std::vector<SagaStep> steps;
    std::optional<Instant> deadline_at;      // of the step under way
    std::optional<Instant> next_attempt_at;  // persisted backoff of the step under way
    Instant started_at;
    std::optional<Instant> finished_at;

    bool is_waiting() const {
        return status == SagaStatus::running || status == SagaStatus::compensating;
    }
    // When it wants to be looked at next; nothing when it waits for nobody.
    std::optional<Instant> due_at() const;
    bool operator==(const Saga&) const = default;
};

// How long a saga waits, and how often it asks again.
struct SagaTimeouts {
    Duration reserve_deadline = std::chrono::minutes(15);
    Duration release_deadline = std::chrono::hours(24);
    Duration first_retry = std::chrono::seconds(30);  // doubling to
    Duration max_retry = std::chrono::minutes(5);
};

Saga begin_fulfilment(SagaId id, Instant now, const SagaTimeouts& timeouts);
Saga begin_cancellation(SagaId id, Instant now, const SagaTimeouts& timeouts);

// Moves the saga as its rule says: status, steps, deadline, backoff. Returns what the order must
// do.
SagaAction advance(Saga& saga, Signal signal, Instant now, const SagaTimeouts& timeouts);

}  // namespace trackops::order::domain
