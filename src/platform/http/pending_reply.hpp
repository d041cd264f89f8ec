// Carries responses from any thread to the I/O thread.
#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/http/conversation.hpp"

namespace trackops::telemetry {
class Counter;
}

namespace trackops::http {

// Thread-safe.
class AnswerQueue {
public:
    struct Answer {
        Conversation::Place place;
        Response response;
    };
    // `wake` is called when the first answer arrives from a thread other than the I/O thread. The
    // I/O thread checks the queue by itself. `late` counts the answers to requests that had
    // expired; it must live until close().
    AnswerQueue(std::function<void()> wake, telemetry::Counter& late)
        : wake_(std::move(wake)), late_(late) {}
    void serve_from_this_thread();  // the I/O thread calls it before it handles any request
    void put(Answer answer);
    void count_late();
    void take(std::vector<Answer>& into);  // `into` must be empty
    void close();                          // no wake calls after this; later answers are dropped

private:
    std::mutex mutex_;
    std::function<void()> wake_;  // null after close()
    telemetry::Counter& late_;
    std::vector<Answer> answers_;
    std::thread::id io_thread_;
};

// A request with its way back. Evaluates the preconditions of a request that reads. Destroyed
// without an answer, it answers 500. Thread-safe.
class PendingReply final : public Reply::Exchange {
public:
    PendingReply(Request request, Conversation::Place place, Conversation::Time since,
                 std::shared_ptr<AnswerQueue> queue)
        : request_(std::move(request)), place_(place), since_(since), queue_(std::move(queue)) {}
    ~PendingReply() override;
    const Request& request() const override { return request_; }
    void complete(Response response) override;
    // The caller is about to run the handler. Returns false if the request has expired: it has its
    // answer, and the handler must not run.
    bool begin_handling();
    // Answers 503 in the handler's place, unless it has answered: unavailable if the handler has
    // not begun or the method is safe, else outcome-unknown. The handler's own answer, should it
    // come, is dropped and counted. Returns true if this call has answered.
    bool expire();
    bool is_over() const { return state_ >= State::answered; }
    Conversation::Time since() const { return since_; }  // its arrival

private:
    enum class State : std::uint8_t { queued, handled, answered, expired };

    Request request_;
    Conversation::Place place_;
    Conversation::Time since_;
    std::shared_ptr<AnswerQueue> queue_;
    std::atomic<State> state_ = State::queued;
};

// The requests of one connection that wait for an answer. Only the I/O thread uses it.
class UnansweredRequests {
public:
    void watch(const std::shared_ptr<PendingReply>& request);
    // Expires the requests that arrived at `since` or earlier. Returns how many it has answered.
    std::size_t expire(Conversation::Time since);

private:
    void forget_answered();
    // In the order of arrival. All behind the first one may have their answers, so that these are
    // at most as many as may be pipelined.
    std::deque<std::weak_ptr<PendingReply>> requests_;
};

}  // namespace trackops::http
