#include "order/domain/saga.hpp"

#include <algorithm>

#include "base/backoff.hpp"

namespace trackops::order::domain {
namespace {

using enum SagaStatus;
using enum Signal;

constexpr auto fulfilment = SagaType::fulfilment;
constexpr auto cancellation = SagaType::cancellation;

// The rules that change a saga or the order. In every other combination the saga stays as it is: a
// reply comes late or twice, or a timer is of no concern any more.
constexpr auto rules = std::to_array<SagaRule>({
    // The reservation is requested; the order is PENDING.
    {fulfilment, running, reserved, completed, SagaAction::confirm},
    {fulfilment, running, refused, compensated, SagaAction::cancel_out_of_stock},
    {fulfilment, running, cancelled, compensating},
    {fulfilment, running, retry_due, running, SagaAction::resend_created},
    {fulfilment, running, deadline, compensating, SagaAction::cancel_timed_out},
    // The stock is reserved for the order. A cancellation has its own saga.
    {fulfilment, completed, not_reserved, blocked},
    // The order is CANCELLED. Only INVENTORY_RELEASED, the reply to the cancellation, proves that
    // nothing is reserved. A late INVENTORY_RESERVED does not.
    {fulfilment, compensating, released, compensated},
    {fulfilment, compensating, retry_due, compensating, SagaAction::resend_cancelled},
    {fulfilment, compensating, deadline, blocked},
    // A person must look at the saga, unless the reply comes after all.
    {fulfilment, blocked, released, compensated},
    // The order is CANCELLED; its stock must be released.
    {cancellation, running, released, completed},
    {cancellation, running, retry_due, running, SagaAction::resend_cancelled},
    {cancellation, running, deadline, blocked},
    {cancellation, blocked, released, completed},
});

constexpr bool is_about(const SagaRule& rule, SagaType type, SagaStatus from, Signal signal) {
    return rule.type == type && rule.from == from && rule.signal == signal;
}

// A combination has one rule at most, and a rule does something.
static_assert(std::ranges::all_of(rules, [](const SagaRule& rule) {
    const auto count = std::ranges::count_if(rules, [&rule](const SagaRule& other) {
        return is_about(other, rule.type, rule.from, rule.signal);
    });
    return count == 1 && (rule.to != rule.from || rule.saga_action != SagaAction::nothing);
}));
// COMPENSATED is true: only a reply that proves that nothing is reserved leads there.
static_assert(std::ranges::all_of(rules, [](const SagaRule& rule) {
    return rule.to != compensated || rule.signal == released || rule.signal == refused;
}));

constexpr bool is_reachable(SagaType type, SagaStatus status) {
    std::array<bool, saga_status_count> reached{};
    reached.at(static_cast<std::size_t>(running)) = true;
    for (std::size_t round = 0; round < saga_status_count; ++round) {
        for (const SagaRule& rule : rules) {
            if (rule.type == type && reached.at(static_cast<std::size_t>(rule.from)))
                reached.at(static_cast<std::size_t>(rule.to)) = true;
        }
    }
    return reached.at(static_cast<std::size_t>(status));
}
// A cancellation has nothing to compensate; every other status has a way to it. No rule stands
// for a status that is not reached.
static_assert(!is_reachable(cancellation, compensating) &&
              !is_reachable(cancellation, compensated));
static_assert(is_reachable(cancellation, completed) && is_reachable(cancellation, blocked));
static_assert(is_reachable(fulfilment, completed) && is_reachable(fulfilment, compensating) &&
              is_reachable(fulfilment, compensated) && is_reachable(fulfilment, blocked));
static_assert(std::ranges::all_of(rules, [](const SagaRule& rule) {
    return is_reachable(rule.type, rule.from);
}));
// A saga that waits ends by its reply, and acts on both timers.
struct Wait {
    SagaType type;
    SagaStatus status;
    Signal reply;
};
static_assert([] {
    for (const Wait& wait :
         {Wait{fulfilment, running, reserved}, Wait{fulfilment, compensating, released},
          Wait{cancellation, running, released}}) {
        for (const Signal signal : {wait.reply, retry_due, deadline}) {
            if (std::ranges::none_of(rules, [&](const SagaRule& rule) {
                    return is_about(rule, wait.type, wait.status, signal);
                }))
                return false;
        }
    }
    return true;
}());

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

SagaRule rule_for(SagaType type, SagaStatus from, Signal signal) {
    const auto* const found = std::ranges::find_if(
        rules, [&](const SagaRule& rule) { return is_about(rule, type, from, signal); });
    return found == rules.end() ? SagaRule{type, from, signal, from} : *found;
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
    const SagaRule rule = rule_for(saga.type, saga.status, signal);
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
