#include "platform/http/pending_reply.hpp"

#include <utility>

#include "platform/http/entity_tag.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::http {

void AnswerQueue::serve_from_this_thread() {
    const std::lock_guard lock(mutex_);
    io_thread_ = std::this_thread::get_id();
}

void AnswerQueue::put(Answer answer) {
    const std::lock_guard lock(mutex_);
    if (!wake_) return;
    const bool is_first = answers_.empty();
    answers_.push_back(std::move(answer));
    if (is_first && std::this_thread::get_id() != io_thread_) wake_();
}

void AnswerQueue::take(std::vector<Answer>& into) {
    const std::lock_guard lock(mutex_);
    std::swap(answers_, into);
}

void AnswerQueue::close() {
    const std::lock_guard lock(mutex_);
    wake_ = nullptr;
    answers_.clear();
}

void AnswerQueue::count_late() {
    const std::lock_guard lock(mutex_);
    if (wake_) late_.add();
}

PendingReply::~PendingReply() {
    if (!is_over())
        complete(
            problem({Errc::internal, "the handler let go of the request unanswered"}, request_));
}

void PendingReply::complete(Response response) {
    State state = state_;
    while (state < State::answered && !state_.compare_exchange_weak(state, State::answered)) {
    }
    if (state == State::expired) return queue_->count_late();
    if (state == State::answered) {
        telemetry::log(telemetry::Level::error, "http", "a request was answered twice",
                       {{"path", request_.path},
                        {"status", std::to_string(response.status)},
                        {"traceId", std::string(request_.context.trace_id())}});
        return;
    }
    queue_->put({place_, conditional_response(std::move(response), request_)});
}

bool PendingReply::begin_handling() {
    State state = State::queued;
    return state_.compare_exchange_strong(state, State::handled);
}

bool PendingReply::expire() {
    State state = state_;
    while (state < State::answered && !state_.compare_exchange_weak(state, State::expired)) {
    }
    if (state >= State::answered) return false;
    const bool is_safe = request_.method == "GET" || request_.method == "HEAD";
    const Errc code = is_safe || state == State::queued ? Errc::unavailable : Errc::outcome_unknown;
    const char* const detail = code == Errc::unavailable
                                   ? "no answer in time"
                                   : "no answer in time; ask again with the same key";
    queue_->put({place_, problem({code, detail}, request_)});
    return true;
}

void UnansweredRequests::watch(const std::shared_ptr<PendingReply>& request) {
    forget_answered();
    requests_.push_back(request);
}

std::size_t UnansweredRequests::expire(Conversation::Time since) {
    forget_answered();
    std::size_t answered = 0;
    for (const auto& one : requests_) {
        const auto request = one.lock();
        if (request && request->since() <= since && request->expire()) ++answered;
    }
    return answered;
}

void UnansweredRequests::forget_answered() {
    while (!requests_.empty()) {
        const auto request = requests_.front().lock();
        if (request && !request->is_over()) return;
        requests_.pop_front();
    }
}

}  // namespace trackops::http
