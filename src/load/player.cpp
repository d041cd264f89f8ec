#include "load/player.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace trackops::load {

namespace {

constexpr Duration second = std::chrono::seconds(1);

bool sends_something(const Step& step) { return !std::holds_alternative<NotSent>(step); }

}  // namespace

Player::Player(const LoadOptions& options, Wire& wire, Lines& lines, std::string run)
    : options_(options), wire_(wire), lines_(lines), run_(std::move(run)), courier_(wire) {}

LoadReport Player::play(const ProgressOptions& progress) {
    const auto started = wire_.elapsed();
    tally_.report().from_intended_start = options_.rate_per_second > 0;
    if (progress.show) tell(progress);
    wire_.after(Duration::zero(), [this] { pump(); });
    wire_.run();
    auto report = tally_.finished();
    report.retried = courier_.retried();
    report.duration = wire_.elapsed() - started;
    return report;
}

void Player::tell(const ProgressOptions& progress) {
    wire_.after(progress.every, [this, progress] {
        tally_.report().retried = courier_.retried();
        tally_.report().duration = wire_.elapsed();
        progress.show(tally_.report(), lines_.share());
        tell(progress);
    });
}

void Player::pump() {
    poll();
    while (!at_end_ && has_room() && sequence_.waiting() < waiting_max && is_time_for_a_line())
        at_end_ = !take_line();
    poll();
    if (is_over()) return wire_.stop();
    wake_at_the_next_thing();
}

// Asking takes a quarter of the requests at most while there is something to send.
void Player::poll() {
    const auto most =
        at_end_ ? options_.concurrency : std::max<std::size_t>(1, options_.concurrency / 4);
    while (polls_under_way_ < most && has_room()) {
        const auto turn = watch_.take(wire_.elapsed());
        if (!turn) return;
        if (tally_.order(turn->order).outcome == Outcome::pending) ask(*turn);
    }
}

bool Player::is_time_for_a_line() const {
    if (options_.rate_per_second == 0) return true;
    return wire_.elapsed() >= second * lines_taken_ / options_.rate_per_second;
}

bool Player::take_line() {
    const auto line = lines_.next();
    if (!line) return false;
    auto step = parse_step(*line);
    if (!step) {
        ++tally_.report().unreadable;
        tally_.example("unreadable", fmt::format("line {}", lines_.number()), step.error().detail);
        return true;
    }
    if (const auto* refused = std::get_if<NotSent>(&*step))
        ++tally_.report().not_sent[refused->reason];
    if (!sends_something(*step)) return true;
    const auto intended = options_.rate_per_second > 0
                              ? second * lines_taken_ / options_.rate_per_second
                              : wire_.elapsed();
    ++lines_taken_;
    if (auto next = sequence_.admit({*std::move(step), intended, lines_.number()})) {
        ++steps_under_way_;
        start(*std::move(next));
    }
    return true;
}

void Player::start(Scheduled next) {
    if (options_.rate_per_second == 0) next.intended = wire_.elapsed();
    if (const auto* order = std::get_if<PlaceOrder>(&next.step))
        place(next, *order);
    else if (const auto* cancelled = std::get_if<CancelOrder>(&next.step))
        cancel(*cancelled);
    else
        adjust(std::get<AdjustStock>(next.step));
}

void Player::place(const Scheduled& next, const PlaceOrder& order) {
    ++tally_.report().orders.asked;
    if (!first_order_at_) first_order_at_ = wire_.elapsed();
    const bool is_named = !order.reference.empty();
    Origin origin{order.reference,
                  is_named ? "order " + order.reference : fmt::format("line {}", next.line),
                  next.intended};
    Call call{.method = "POST", .path = "/api/orders", .body = order.body};
    call.idempotency_key =
        is_named ? percent_encoded(order.reference) : fmt::format("{}-{}", run_, next.line);
    courier_.deliver(std::move(call), [this, origin = std::move(origin)](Result<Answer> answer) {
        if (tally_.count(&LoadReport::orders, answer, origin.name)) accept(origin, *answer);
        step_is_over(origin.reference, answer);
    });
}

void Player::accept(const Origin& origin, const Answer& answer) {
    const auto now = wire_.elapsed();
    const auto state = read_order(answer.body);
    if (!state) {
        --tally_.report().orders.done;
        return tally_.fail(&LoadReport::orders, origin.name, state.error().detail);
    }
    tally_.report().accepting = now - *first_order_at_;
    tally_.report().replayed += answer.is_replayed;
    const auto known = by_reference_.find(origin.reference);
    const bool is_twin =
        known != by_reference_.end() && tally_.order(known->second).id == state->id;
    if (is_twin) return;  // the same order on a second line
    const auto number = tally_.accept(*state, origin.intended, now);
    if (!origin.reference.empty()) by_reference_[origin.reference] = number;
    if (state->outcome == Outcome::pending) watch_.add(number, now);
}

void Player::cancel(const CancelOrder& cancelled) {
    ++tally_.report().cancels.asked;
    const auto what = fmt::format("cancel {}", cancelled.reference);
    const auto known = by_reference_.find(cancelled.reference);
    if (known == by_reference_.end()) {
        tally_.refuse(&LoadReport::cancels, "no-such-order");
        tally_.example("no-such-order", what, "its order was not accepted in this run");
        // Later, so that a chain of these is a loop and no recursion.
        wire_.after(Duration::zero(), [this, reference = cancelled.reference] {
            step_is_over(reference, Answer{.status = 404});
        });
        return;
    }
    const auto number = known->second;
    Call call{.method = "POST",
              .path = fmt::format("/api/orders/{}/cancel", tally_.order(number).id.text()),
              .body = cancelled.body};
    call.idempotency_key = "cancel-" + percent_encoded(cancelled.reference);
    courier_.deliver(std::move(call), [this, cancelled, what, number](Result<Answer> answer) {
        if (tally_.count(&LoadReport::cancels, answer, what)) {
            if (const auto state = read_order(answer->body))
                tally_.settle(number, *state, wire_.elapsed());
        }
        step_is_over(cancelled.reference, answer);
    });
}

void Player::adjust(const AdjustStock& adjust) {
    ++tally_.report().adjustments.asked;
    Call call{
        .target = Target::inventory,
        .method = "POST",
        .path = fmt::format("/api/inventory/items/{}/adjustments", percent_encoded(adjust.sku)),
        .body = adjust.body};
    call.idempotency_key = percent_encoded(adjust.key);
    courier_.deliver(std::move(call), [this, key = adjust.key](const Result<Answer>& answer) {
        tally_.count(&LoadReport::adjustments, answer, fmt::format("adjust {}", key));
        step_is_over({}, answer);
    });
}

void Player::step_is_over(const std::string& reference, const Result<Answer>& answer) {
    if (!answer) give_up_on_lines();
    if (auto next = sequence_.finish(reference))
        start(*std::move(next));
    else
        --steps_under_way_;
    pump();
}

// No answer for as long as a call is tried: the server stays away, and each further line would wait
// as long.
void Player::give_up_on_lines() {
    if (!at_end_) tally_.report().unplayed += lines_.skip_the_rest();
    at_end_ = true;
}

void Player::ask(Watch::Turn turn) {
    ++polls_under_way_;
    Call call{.path = fmt::format("/api/orders/{}/status", tally_.order(turn.order).id.text())};
    wire_.send(std::move(call), [this, turn](const Result<Answer>& answer) {
        --polls_under_way_;
        heard(turn, answer);
        pump();
    });
}

void Player::heard(Watch::Turn turn, const Result<Answer>& answer) {
    const auto now = wire_.elapsed();
    if (answer && answer->status == 404)
        return tally_.lose(turn.order, "accepted, but unknown afterwards");
    if (answer && answer->status == 200) {
        const auto seen = read_order(answer->body);
        if (seen && seen->outcome != Outcome::pending) {
            // What a cancel was told in the meantime is newer than what was asked before it.
            if (tally_.order(turn.order).outcome == Outcome::pending)
                tally_.settle(turn.order, *seen, now);
            return;
        }
    }
    watch_.again(turn, now);
}

bool Player::is_over() {
    if (!at_end_ || steps_under_way_ > 0) return false;
    if (!answered_at_) answered_at_ = wire_.elapsed();
    return tally_.report().pending == 0 || wire_.elapsed() >= *answered_at_ + options_.wait;
}

void Player::wake_at_the_next_thing() {
    auto next = watch_.next_at();
    const auto sooner = [&](Duration at) { next = next ? std::min(*next, at) : at; };
    if (!at_end_ && options_.rate_per_second > 0)
        sooner(second * lines_taken_ / options_.rate_per_second);
    if (answered_at_) sooner(*answered_at_ + options_.wait);
    const auto now = wire_.elapsed();
    if (!next || *next <= now)
        return;  // nothing to come, or a slot is missing: an answer will call
    if (waking_at_ && *waking_at_ > now && *waking_at_ <= *next) return;
    waking_at_ = next;
    wire_.after(*next - now, [this] { pump(); });
}

}  // namespace trackops::load
