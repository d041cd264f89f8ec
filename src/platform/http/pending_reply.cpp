#include "platform/http/pending_reply.hpp"

#include <utility>

#include <fmt/format.h>

#include "platform/http/entity_tag.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::http {
namespace {

// The handler's end of a streamed answer. The head is sent with the first piece, so that the
// handler may still send another answer before it.
class StartedAnswer final : public AnswerStream {
public:
    StartedAnswer(std::shared_ptr<PendingReply> pending, Response head,
                  std::shared_ptr<AnswerPipe> pipe)
        : pending_(std::move(pending)), head_(std::move(head)), pipe_(std::move(pipe)) {}
    ~StartedAnswer() override {
        if (!pending_) pipe_->finish(AnswerPipe::End::broken);
    }
    Result<void> write(std::string_view bytes, Duration within) override {
        start();
        return pipe_->write(bytes, within);
    }
    bool try_write(std::string_view bytes) override {
        start();
        return pipe_->try_write(bytes);
    }
    void finish() override { end(AnswerPipe::End::whole); }
    void finish_and_close() override { end(AnswerPipe::End::closes); }

private:
    void start() {
        if (!pending_) return;
        if (!pending_->start(std::move(head_), pipe_)) pipe_->abandon();
        pending_.reset();
    }
    void end(AnswerPipe::End end) {
        start();
        pipe_->finish(end);
    }

    std::shared_ptr<PendingReply> pending_;  // until the head was sent
    Response head_;
    std::shared_ptr<AnswerPipe> pipe_;
};

}  // namespace

void AnswerQueue::serve_from_this_thread() {
    const std::lock_guard lock(mutex_);
    io_thread_ = std::this_thread::get_id();
}

void AnswerQueue::put(Answer answer) {
    const std::lock_guard lock(mutex_);
    if (!wake_) {
        if (answer.stream) answer.stream->abandon();
        return;
    }
    const bool is_first = answers_.empty();
    answers_.push_back(std::move(answer));
    wake(is_first);
}

void AnswerQueue::wake(bool is_first) {
    if (is_first && std::this_thread::get_id() != io_thread_) wake_();
}

void AnswerQueue::notify(std::uint64_t connection) {
    const std::lock_guard lock(mutex_);
    if (!wake_) return;
    const bool is_first = notified_.empty();
    notified_.push_back(connection);
    wake(is_first);
}

void AnswerQueue::take(std::vector<Answer>& answers, std::vector<std::uint64_t>& notified) {
    const std::lock_guard lock(mutex_);
    std::swap(answers_, answers);
    std::swap(notified_, notified);
}

void AnswerQueue::close() {
    const std::lock_guard lock(mutex_);
    wake_ = nullptr;
    for (const Answer& answer : answers_) {
        if (answer.stream) answer.stream->abandon();
    }
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

void PendingReply::complete(Response response) { (void)put(std::move(response), {}); }

bool PendingReply::start(Response head, std::shared_ptr<AnswerPipe> stream) {
    return put(std::move(head), std::move(stream));
}

bool PendingReply::put(Response response, std::shared_ptr<AnswerPipe> stream) {
    State state = state_;
    while (state < State::answered && !state_.compare_exchange_weak(state, State::answered)) {
    }
    if (state == State::expired) {
        queue_->count_late();
        return false;
    }
    if (state == State::answered) {
        telemetry::log(telemetry::Level::error, "http", "a request was answered twice",
                       {{"path", request_.path},
                        {"status", std::to_string(response.status)},
                        {"trace_id", std::string(request_.context.trace_id())}});
        return false;
    }
    if (!stream) response = conditional_response(std::move(response), request_);
    queue_->put({place_, std::move(response), std::move(stream)});
    return true;
}

BodyStream& PendingReply::body() { return body_ ? *body_ : Reply::Exchange::body(); }

std::unique_ptr<AnswerStream> PendingReply::begin(Response head) {
    auto pipe = std::make_shared<AnswerPipe>(
        stream_bytes_max_,
        [queue = queue_, connection = place_.connection] { queue->notify(connection); });
    return std::make_unique<StartedAnswer>(shared_from_this(), std::move(head), std::move(pipe));
}

void call_handler(const Route& route, const std::shared_ptr<PendingReply>& pending) {
    if (!pending->begin_handling()) return;
    const telemetry::LogScope scope(pending->request().context.span);
    try {
        route.handler(pending->request(), Reply(pending));
    } catch (const std::exception& error) {
        if (pending->is_over())
            telemetry::log(telemetry::Level::error, "http", "a handler threw after its answer",
                           {{"path", pending->request().path}, {"error", error.what()}});
        else
            pending->complete(
                problem({Errc::internal, fmt::format("the handler threw: {}", error.what())},
                        pending->request()));
    }
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
