#include "order/domain/saga.hpp"

#include <algorithm>

#include "base/backoff.hpp"

namespace trackops::order::domain {
namespace {

using enum SagaStatus;
using enum Signal;

constexpr auto fulfilment = SagaType::fulfilment;
constexpr auto cancellation = SagaType::cancellation;

constexpr auto rules = std::to_array<SagaRule>({
    // The reservation is requested; the order is PENDING.
    {fulfilment, running, reserved, completed, SagaAction::confirm},
    {fulfilment, running, refused, compensated, SagaAction::cancel_out_of_stock},
    {fulfilment, running, not_reserved, running},
    {fulfilment, running, released, running},
    {fulfilment, running, cancelled, compensating},
    {fulfilment, running, retry_due, running, SagaAction::resend_created},
    {fulfilment, running, deadline, compensating, SagaAction::cancel_timed_out},
    // The stock is reserved for the order. A cancellation has its own saga.
    {fulfilment, completed, reserved, completed},
    {fulfilment, completed, refused, completed},
    {fulfilment, completed, not_reserved, blocked},
    {fulfilment, completed, released, completed},
    {fulfilment, completed, cancelled, completed},
    {fulfilment, completed, retry_due, completed},
    {fulfilment, completed, deadline, completed},
    // The order is CANCELLED. Only INVENTORY_RELEASED, the reply to the cancellation, proves that
    // nothing is reserved. A late INVENTORY_RESERVED does not.
    {fulfilment, compensating, reserved, compensating},
    {fulfilment, compensating, refused, compensating},
    {fulfilment, compensating, not_reserved, compensating},
    {fulfilment, compensating, released, compensated},
    {fulfilment, compensating, cancelled, compensating},
    {fulfilment, compensating, retry_due, compensating, SagaAction::resend_cancelled},
    {fulfilment, compensating, deadline, blocked},
    // Nothing is reserved; inventory never reserves stock for this order again.
    {fulfilment, compensated, reserved, compensated},
    {fulfilment, compensated, refused, compensated},
    {fulfilment, compensated, not_reserved, compensated},
    {fulfilment, compensated, released, compensated},
    {fulfilment, compensated, cancelled, compensated},
    {fulfilment, compensated, retry_due, compensated},
    {fulfilment, compensated, deadline, compensated},
    // A person must look at the saga, unless the reply comes after all.
    {fulfilment, blocked, reserved, blocked},
    {fulfilment, blocked, refused, blocked},
    {fulfilment, blocked, not_reserved, blocked},
    {fulfilment, blocked, released, compensated},
    {fulfilment, blocked, cancelled, blocked},
    {fulfilment, blocked, retry_due, blocked},
    {fulfilment, blocked, deadline, blocked},
    // The order is CANCELLED; its stock must be released.
    {cancellation, running, reserved, running},
    {cancellation, running, refused, running},
    {cancellation, running, not_reserved, running},
    {cancellation, running, released, completed},
    {cancellation, running, cancelled, running},
    {cancellation, running, retry_due, running, SagaAction::resend_cancelled},
    {cancellation, running, deadline, blocked},
    {cancellation, completed, reserved, completed},
    {cancellation, completed, refused, completed},
    {cancellation, completed, not_reserved, completed},
    {cancellation, completed, released, completed},
    {cancellation, completed, cancelled, completed},
    {cancellation, completed, retry_due, completed},
    {cancellation, completed, deadline, completed},
    // A cancellation has nothing to compensate, so no rule leads to these two statuses.
    {cancellation, compensating, reserved, compensating},
    {cancellation, compensating, refused, compensating},
    {cancellation, compensating, not_reserved, compensating},
    {cancellation, compensating, released, compensating},
    {cancellation, compensating, cancelled, compensating},
    {cancellation, compensating, retry_due, compensating},
    {cancellation, compensating, deadline, compensating},
    {cancellation, compensated, reserved, compensated},
    {cancellation, compensated, refused, compensated},
    {cancellation, compensated, not_reserved, compensated},
    {cancellation, compensated, released, compensated},
    {cancellation, compensated, cancelled, compensated},
    {cancellation, compensated, retry_due, compensated},
    {cancellation, compensated, deadline, compensated},
    {cancellation, blocked, reserved, blocked},
    {cancellation, blocked, refused, blocked},
    {cancellation, blocked, not_reserved, blocked},
    {cancellation, blocked, released, completed},
    {cancellation, blocked, cancelled, blocked},
    {cancellation, blocked, retry_due, blocked},
    {cancellation, blocked, deadline, blocked},
});

constexpr std::size_t index_of(SagaType type, SagaStatus from, Signal signal) {
    return (static_cast<std::size_t>(type) * saga_status_count + static_cast<std::size_t>(from)) *
               signal_count +
           static_cast<std::size_t>(signal);
}

// The table is complete, and its order is the order of index_of().
static_assert(rules.size() == saga_type_count * saga_status_count * signal_count);
static_assert([] {
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (index_of(rules[i].type, rules[i].from, rules[i].signal) != i) return false;
    }
    return true;
}());
// COMPENSATED is true: only a reply that proves that nothing is reserved leads there.
static_assert(std::ranges::all_of(rules, [](const SagaRule& rule) {
    return rule.to != compensated || rule.from == compensated || rule.signal == released ||
           rule.signal == refused;
}));

SagaStep started_step(std::string_view name, Instant now) {
    return {name, StepStatus::running, 1, now, {}, {}};
}

void finish(SagaStep& step, StepStatus status, Instant now) {
    step.status = status;
    step.finished_at = now;
}

// Returns the delay after the given number of attempts. It has no jitter: the domain knows no
// chance, and the times of their orders spread the sagas.
Duration backoff(std::int64_t attempts, const SagaTimeouts& timeouts) {
    return doubled_wait({timeouts.first_retry, timeouts.max_retry}, attempts);
}

void wait_for(Saga& saga, Instant now, Duration deadline, const SagaTimeouts& timeouts) {
    saga.deadline_at = now + deadline;
    saga.next_attempt_at = now + backoff(1, timeouts);
}

SagaStep* step_named(Saga& saga, std::string_view name) {
    const auto found = std::ranges::find(saga.steps, name, &SagaStep::name);
    return found == saga.steps.end() ? nullptr : &*found;
}

void finish_reserve_step(Saga& saga, Signal signal, Instant now) {
    SagaStep* const reserve = step_named(saga, "reserve");
    SagaStep* const confirm = step_named(saga, "confirm");
    if (reserve == nullptr || confirm == nullptr || reserve->status != StepStatus::running) return;
    finish(*reserve, signal == reserved ? StepStatus::done : StepStatus::failed, now);
    if (signal == refused) reserve->last_error = "out of stock";
    if (signal == deadline) reserve->last_error = "no answer within the deadline";
    if (signal == cancelled) reserve->last_error = "the order was cancelled";
    if (signal == reserved) confirm->started_at = now;
    confirm->attempts = signal == reserved ? 1 : 0;
    finish(*confirm, signal == reserved ? StepStatus::done : StepStatus::skipped, now);
}

void retry_current_step(Saga& saga, Instant now, const SagaTimeouts& timeouts) {
    for (SagaStep& step : saga.steps) {
        if (step.status != StepStatus::running) continue;
        ++step.attempts;
        step.last_error = "no answer yet";
        saga.next_attempt_at = now + backoff(step.attempts, timeouts);
    }
}

void settle_release(Saga& saga, SagaStatus to, Instant now) {
    SagaStep* const release = step_named(saga, "release");
    if (release == nullptr) return;
    if (to == blocked) {
        release->last_error = "no answer within the deadline";
        release->status = StepStatus::failed;
    } else {
        finish(*release, StepStatus::done, now);
    }
}

}  // namespace

const SagaRule& rule_for(SagaType type, SagaStatus from, Signal signal) {
    return rules[index_of(type, from, signal)];
}

std::optional<Instant> Saga::due_at() const {
    if (!is_waiting()) return std::nullopt;
    if (deadline_at && next_attempt_at) return std::min(*deadline_at, *next_attempt_at);
    return deadline_at ? deadline_at : next_attempt_at;
}

Saga begin_fulfilment(SagaId id, Instant now, const SagaTimeouts& timeouts) {
    Saga saga{.id = id,
              .type = fulfilment,
              .steps = {started_step("reserve", now),
                        {.name = "confirm", .started_at = {}, .finished_at = {}, .last_error = {}}},
              .deadline_at = {},
              .next_attempt_at = {},
              .started_at = now,
              .finished_at = {}};
    wait_for(saga, now, timeouts.reserve_deadline, timeouts);
    return saga;
}

Saga begin_cancellation(SagaId id, Instant now, const SagaTimeouts& timeouts) {
    Saga saga{.id = id,
              .type = cancellation,
              .steps = {started_step("cancel", now), started_step("release", now)},
              .deadline_at = {},
              .next_attempt_at = {},
              .started_at = now,
              .finished_at = {}};
    finish(saga.steps.front(), StepStatus::done, now);
    wait_for(saga, now, timeouts.release_deadline, timeouts);
    return saga;
}

SagaAction advance(Saga& saga, Signal signal, Instant now, const SagaTimeouts& timeouts) {
    const SagaRule& rule = rule_for(saga.type, saga.status, signal);
    if (rule.to == saga.status) {
        if (rule.saga_action != SagaAction::nothing) retry_current_step(saga, now, timeouts);
        return rule.saga_action;
    }
    const bool was_waiting = saga.is_waiting();
    saga.status = rule.to;
    finish_reserve_step(saga, signal, now);
    if (rule.to == compensating) {
        saga.steps.push_back(started_step("release", now));
        wait_for(saga, now, timeouts.release_deadline, timeouts);
        return rule.saga_action;
    }
    settle_release(saga, rule.to, now);
    if (rule.to == blocked && was_waiting == false)
        saga.steps.back().last_error = "a shipment found no live reservation";
    saga.deadline_at.reset();
    saga.next_attempt_at.reset();
    saga.finished_at = rule.to == blocked ? std::nullopt : std::optional(now);
    return rule.saga_action;
}

}  // namespace trackops::order::domain
