#include "platform/http/pending_reply.hpp"

#include <utility>

#include <fmt/format.h>

#include "platform/http/entity_tag.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::http {
namespace {

// A smaller answer is sent even when the budget is spent.
constexpr std::size_t small_answer_bytes_max = 16 * 1024;

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
    bool has_room() const override { return pipe_->has_room(); }
    Result<void> write(std::string_view bytes) override {
        start();
        return pipe_->write(bytes);
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

void AnswerQueue::serve_from_this_thread(std::function<void(Answer)> deliver) {
    deliver_ = std::move(deliver);
    io_thread_ = std::this_thread::get_id();
}

void AnswerQueue::put(Answer answer) {
    if (is_on_io_thread()) return deliver_(std::move(answer));
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
    if (is_first && !is_on_io_thread()) wake_();
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
    io_thread_ = std::thread::id();
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
    if (!stream) response = affordable(conditional_response(std::move(response), request_));
    queue_->put({place_, std::move(response), std::move(stream)});
    return true;
}

Response PendingReply::affordable(Response response) const {
    runtime::Budget* const budget = request_.share.budget();
    if (response.body.size() <= small_answer_bytes_max || !budget || !is_safe()) return response;
    if (budget->has_room(runtime::Spending::answers, response.body.size())) return response;
    return problem({Errc::overloaded, "the memory for answers is in use; try again"}, request_);
}

void PendingReply::known(Response response) {
    known_ = std::make_unique<Response>(std::move(response));
    has_known_ = true;
}

BodyStream& PendingReply::body() {
    return bulk_ && bulk_->body ? *bulk_->body : Reply::Exchange::body();
}

void PendingReply::run(std::unique_ptr<StreamWork> work) {
    if (!bulk_) return Reply::Exchange::run(std::move(work));
    bulk_->work = std::move(work);
}

std::unique_ptr<StreamWork> PendingReply::take_work() {
    return bulk_ ? std::move(bulk_->work) : nullptr;
}

std::unique_ptr<AnswerStream> PendingReply::begin(Response head) {
    auto pipe = std::make_shared<AnswerPipe>(
        stream_bytes_max_,
        [queue = queue_, connection = place_.connection] { queue->notify(connection); },
        bulk_ ? bulk_->wake : [] {});
    return std::make_unique<StartedAnswer>(shared_from_this(), std::move(head), std::move(pipe));
}

void PendingReply::fail(const std::exception& error) {
    if (is_over())
        telemetry::log(telemetry::Level::error, "http", "a handler threw after its answer",
                       {{"path", request_.path}, {"error", error.what()}});
    else
        complete(problem({Errc::internal, fmt::format("the handler threw: {}", error.what())},
                         request_));
}

void call_handler(const Route& route, const std::shared_ptr<PendingReply>& pending) {
    if (!pending->begin_handling()) return;
    const telemetry::LogScope scope(pending->request().context.span);
    try {
        route.handler(pending->request(), Reply(pending));
    } catch (const std::exception& error) {
        pending->fail(error);
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
    if (has_known_) {
        queue_->put({place_, std::move(*known_)});
        return true;
    }
    const Errc code =
        is_safe() || state == State::queued ? Errc::unavailable : Errc::outcome_unknown;
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
