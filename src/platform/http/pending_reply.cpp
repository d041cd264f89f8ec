#include "platform/http/pending_reply.hpp"

#include <utility>

#include "platform/http/entity_tag.hpp"
#include "platform/telemetry/log.hpp"

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

PendingReply::~PendingReply() {
    if (!is_answered_)
        complete(
            problem({Errc::internal, "the handler let go of the request unanswered"}, request_));
}

void PendingReply::complete(Response response) {
    if (is_answered_.exchange(true)) {
        telemetry::log(telemetry::Level::error, "http", "a request was answered twice",
                       {{"path", request_.path},
                        {"status", std::to_string(response.status)},
                        {"traceId", std::string(request_.context.trace_id())}});
        return;
    }
    queue_->put({place_, conditional_response(std::move(response), request_)});
}

}  // namespace trackops::http
