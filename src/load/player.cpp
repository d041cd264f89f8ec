#include "load/player.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace trackops::load {

namespace {

constexpr Duration second = std::chrono::seconds(1);

bool sends_something(const Step& step) { return !std::holds_alternative<NotSent>(step); }

}  // namespace

Player::Player(const LoadOptions& options, HttpClient& client, LineReader& lines, std::string run)
    : options_(options),
      client_(client),
      lines_(lines),
      run_(std::move(run)),
      retrying_client_(client) {}

LoadReport Player::play(const ProgressOptions& progress) {
    const auto started = client_.elapsed();
    report_builder_.report().from_intended_start = options_.rate_per_second > 0;
    if (progress.show) show_progress(progress);
    client_.after(Duration::zero(), [this] { pump(); });
    client_.run();
    auto report = report_builder_.finished();
    report.retried = retrying_client_.retried();
    report.duration = client_.elapsed() - started;
    return report;
}

void Player::show_progress(const ProgressOptions& progress) {
    client_.after(progress.every, [this, progress] {
        report_builder_.report().retried = retrying_client_.retried();
        report_builder_.report().duration = client_.elapsed();
        progress.show(report_builder_.report(), lines_.share());
        show_progress(progress);
    });
}

void Player::pump() {
    poll();
    while (!at_end_ && has_room() && per_order_queue_.waiting() < waiting_max &&
           is_time_for_a_line())
        at_end_ = !read_next_step();
    poll();
    if (is_finished()) return client_.stop();
    schedule_wake_up();
}

// While there are steps to send, polling uses at most a quarter of the concurrency.
void Player::poll() {
    const auto most =
        at_end_ ? options_.concurrency : std::max<std::size_t>(1, options_.concurrency / 4);
    while (polls_under_way_ < most && has_room()) {
        const auto poll_task = poller_.take(client_.elapsed());
        if (!poll_task) return;
        if (report_builder_.order(poll_task->order).outcome == Outcome::pending) ask(*poll_task);
    }
}

bool Player::is_time_for_a_line() const {
    if (options_.rate_per_second == 0) return true;
    return client_.elapsed() >= second * lines_taken_ / options_.rate_per_second;
}

bool Player::read_next_step() {
    const auto line = lines_.next();
    if (!line) return false;
    auto step = parse_step(*line);
    if (!step) {
        ++report_builder_.report().unreadable;
        report_builder_.example("unreadable", fmt::format("line {}", lines_.number()),
                                step.error().detail);
        return true;
    }
    if (const auto* refused = std::get_if<NotSent>(&*step))
        ++report_builder_.report().not_sent[refused->reason];
    if (!sends_something(*step)) return true;
    const auto intended = options_.rate_per_second > 0
                              ? second * lines_taken_ / options_.rate_per_second
                              : client_.elapsed();
    ++lines_taken_;
    if (auto next =
            per_order_queue_.start_or_enqueue({*std::move(step), intended, lines_.number()})) {
        ++steps_under_way_;
        start(*std::move(next));
    }
    return true;
}

void Player::start(Scheduled next) {
    if (options_.rate_per_second == 0) next.intended = client_.elapsed();
    if (const auto* order = std::get_if<PlaceOrder>(&next.step))
        place(next, *order);
    else if (const auto* cancelled = std::get_if<CancelOrder>(&next.step))
        cancel(*cancelled);
    else
        adjust(std::get<AdjustStock>(next.step));
}

void Player::place(const Scheduled& next, const PlaceOrder& order) {
    ++report_builder_.report().orders.asked;
    if (!first_order_at_) first_order_at_ = client_.elapsed();
    const bool is_named = !order.reference.empty();
    Origin origin{order.reference,
                  is_named ? "order " + order.reference : fmt::format("line {}", next.line),
                  next.intended};
    Request call{.method = "POST", .path = "/api/orders", .body = order.body};
    call.idempotency_key =
        is_named ? percent_encoded(order.reference) : fmt::format("{}-{}", run_, next.line);
    retrying_client_.send_with_retries(
        std::move(call), [this, origin = std::move(origin)](Result<Response> response) {
            if (report_builder_.count(&LoadReport::orders, response, origin.name))
                accept(origin, *response);
            on_step_finished(origin.reference, response);
        });
}

void Player::accept(const Origin& origin, const Response& response) {
    const auto now = client_.elapsed();
    const auto state = read_order(response.body);
    if (!state) {
        --report_builder_.report().orders.done;
        return report_builder_.fail(&LoadReport::orders, origin.name, state.error().detail);
    }
    report_builder_.report().accepting = now - *first_order_at_;
    report_builder_.report().replayed += response.is_replayed;
    const auto known = by_reference_.find(origin.reference);
    const bool is_twin =
        known != by_reference_.end() && report_builder_.order(known->second).id == state->id;
    if (is_twin) return;  // two lines of the input named the same order
    const auto number = report_builder_.accept(*state, origin.intended, now);
    if (!origin.reference.empty()) by_reference_[origin.reference] = number;
    if (state->outcome == Outcome::pending) poller_.add(number, now);
}

void Player::cancel(const CancelOrder& cancelled) {
    ++report_builder_.report().cancels.asked;
    const auto what = fmt::format("cancel {}", cancelled.reference);
    const auto known = by_reference_.find(cancelled.reference);
    if (known == by_reference_.end()) {
        report_builder_.refuse(&LoadReport::cancels, "no-such-order");
        report_builder_.example("no-such-order", what, "its order was not accepted in this run");
        // Deferred, so that a chain of these steps runs as a loop and not as a recursion.
        client_.after(Duration::zero(), [this, reference = cancelled.reference] {
            on_step_finished(reference, Response{.status = 404});
        });
        return;
    }
    const auto number = known->second;
    Request call{
        .method = "POST",
        .path = fmt::format("/api/orders/{}/cancel", report_builder_.order(number).id.text()),
        .body = cancelled.body};
    call.idempotency_key = "cancel-" + percent_encoded(cancelled.reference);
    retrying_client_.send_with_retries(
        std::move(call), [this, cancelled, what, number](Result<Response> response) {
            if (report_builder_.count(&LoadReport::cancels, response, what)) {
                if (const auto state = read_order(response->body))
                    report_builder_.record_outcome(number, *state, client_.elapsed());
            }
            on_step_finished(cancelled.reference, response);
        });
}

void Player::adjust(const AdjustStock& adjust) {
    ++report_builder_.report().adjustments.asked;
    Request call{
        .target = Target::inventory,
        .method = "POST",
        .path = fmt::format("/api/inventory/items/{}/adjustments", percent_encoded(adjust.sku)),
        .body = adjust.body};
    call.idempotency_key = percent_encoded(adjust.key);
    retrying_client_.send_with_retries(std::move(call), [this, key = adjust.key](
                                                            const Result<Response>& response) {
        report_builder_.count(&LoadReport::adjustments, response, fmt::format("adjust {}", key));
        on_step_finished({}, response);
    });
}

void Player::on_step_finished(const std::string& reference, const Result<Response>& response) {
    if (!response) stop_reading_input();
    if (auto next = per_order_queue_.finish(reference))
        start(*std::move(next));
    else
        --steps_under_way_;
    pump();
}

// Called when a call got no response after all its retries. Each further line would wait for as
// long.
void Player::stop_reading_input() {
    if (!at_end_) report_builder_.report().unplayed += lines_.count_remaining_lines();
    at_end_ = true;
}

void Player::ask(OutcomePoller::PollTask poll_task) {
    ++polls_under_way_;
    Request call{.path = fmt::format("/api/orders/{}/status",
                                     report_builder_.order(poll_task.order).id.text())};
    client_.send(std::move(call), [this, poll_task](const Result<Response>& response) {
        --polls_under_way_;
        on_outcome(poll_task, response);
        pump();
    });
}

void Player::on_outcome(OutcomePoller::PollTask poll_task, const Result<Response>& response) {
    const auto now = client_.elapsed();
    if (response && response->status == 404)
        return report_builder_.mark_lost(poll_task.order, "accepted, but unknown afterwards");
    if (response && response->status == 200) {
        const auto seen = read_order(response->body);
        if (seen && seen->outcome != Outcome::pending) {
            // The response to a cancel request may have arrived since this poll was sent. It is
            // newer.
            if (report_builder_.order(poll_task.order).outcome == Outcome::pending)
                report_builder_.record_outcome(poll_task.order, *seen, now);
            return;
        }
    }
    poller_.reschedule(poll_task, now);
}

bool Player::is_finished() {
    if (!at_end_ || steps_under_way_ > 0) return false;
    if (!answered_at_) answered_at_ = client_.elapsed();
    return report_builder_.report().pending == 0 ||
           client_.elapsed() >= *answered_at_ + options_.wait;
}

void Player::schedule_wake_up() {
    auto next = poller_.next_at();
    const auto sooner = [&](Duration at) { next = next ? std::min(*next, at) : at; };
    if (!at_end_ && options_.rate_per_second > 0)
        sooner(second * lines_taken_ / options_.rate_per_second);
    if (answered_at_) sooner(*answered_at_ + options_.wait);
    const auto now = client_.elapsed();
    // Nothing is scheduled, or a due task waits for room; the next response calls pump().
    if (!next || *next <= now) return;
    if (waking_at_ && *waking_at_ > now && *waking_at_ <= *next) return;
    waking_at_ = next;
    client_.after(*next - now, [this] { pump(); });
}

}  // namespace trackops::load
