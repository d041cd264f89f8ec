// The sagas, which accompany an order through more than one service. A saga is a row, and a table
// has the rules by which a signal changes it; in every other case it stays as it is.
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
// COMPENSATED: nothing is reserved any more, and inventory has acknowledged that. BLOCKED: a person
// must look at the saga.
enum class SagaStatus : std::uint8_t { running, completed, compensating, compensated, blocked };
enum class Signal : std::uint8_t {
    reserved,      // INVENTORY_RESERVED
    refused,       // INVENTORY_RESERVATION_FAILED, out of stock: nothing is reserved
    not_reserved,  // INVENTORY_RESERVATION_FAILED, a shipment found no live reservation
    released,      // INVENTORY_RELEASED: nothing is reserved any more
    cancelled,     // the order was cancelled, and not by this saga
    retry_due,     // there is no reply yet, and the backoff has passed
    deadline,      // there is no reply, and the deadline has passed
};
// The action that a rule demands of the order.
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
// Returns the rule for the combination. Where the table has none, the saga stays as it is. The
// static_asserts in saga.cpp prove that the table reaches what it should, and nothing else.
SagaRule rule_for(SagaType type, SagaStatus from, Signal signal);

enum class StepStatus : std::uint8_t { pending, running, done, failed, skipped };

inline constexpr auto saga_type_names =
    std::to_array<std::string_view>({"ORDER_FULFILMENT", "ORDER_CANCELLATION"});
inline constexpr auto saga_status_names = std::to_array<std::string_view>(
    {"RUNNING", "COMPLETED", "COMPENSATING", "COMPENSATED", "BLOCKED"});
inline constexpr auto step_status_names =
    std::to_array<std::string_view>({"PENDING", "RUNNING", "DONE", "FAILED", "SKIPPED"});
static_assert(saga_type_names.size() == saga_type_count &&
              saga_status_names.size() == saga_status_count);

// Return the name that the API shows and the database stores.
constexpr std::string_view name_of(SagaType type) {
    return saga_type_names[static_cast<std::size_t>(type)];
}
constexpr std::string_view name_of(SagaStatus status) {
    return saga_status_names[static_cast<std::size_t>(status)];
}
constexpr std::string_view name_of(StepStatus status) {
    return step_status_names[static_cast<std::size_t>(status)];
}

// Whether a saga with this status waits for inventory, with a time at which it is due.
constexpr bool is_waiting(SagaStatus status) {
    return status == SagaStatus::running || status == SagaStatus::compensating;
}

struct SagaStep {
    std::string_view name;  // reserve, confirm, cancel or release; a string literal
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
    std::optional<Instant> deadline_at;      // the deadline of the running step
    std::optional<Instant> next_attempt_at;  // the end of the running step's backoff; persisted
    Instant started_at;
    std::optional<Instant> finished_at;

    bool is_waiting() const { return domain::is_waiting(status); }
    // Returns the time of the next attempt or the deadline, whichever comes first; nothing when the
    // saga does not wait.
    std::optional<Instant> due_at() const;
    bool operator==(const Saga&) const = default;
};

// The deadlines of the saga steps and the delays between attempts.
struct SagaTimeouts {
    Duration reserve_deadline = std::chrono::minutes(15);
    Duration release_deadline = std::chrono::hours(24);
    // The delay before the second attempt. Each further delay doubles, up to max_retry.
    Duration first_retry = std::chrono::seconds(30);
    Duration max_retry = std::chrono::minutes(5);
};

// Return a RUNNING saga that waits for inventory: for the reservation or for the release.
Saga begin_fulfilment(SagaId id, Instant now, const SagaTimeouts& timeouts);
Saga begin_cancellation(SagaId id, Instant now, const SagaTimeouts& timeouts);

// Applies the rule for the signal to the saga: to its status, steps, deadline and backoff. Returns
// the action that the rule demands of the order.
SagaAction advance(Saga& saga, Signal signal, Instant now, const SagaTimeouts& timeouts);

}  // namespace trackops::order::domain
