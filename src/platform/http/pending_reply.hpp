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

#include "platform/http/answer_pipe.hpp"
#include "platform/http/body_pipe.hpp"
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
        std::shared_ptr<AnswerPipe> stream = {};  // the body follows through it
    };
    // `wake` is called when the first answer or notice arrives from a thread other than the I/O
    // thread. The I/O thread checks the queue by itself. `late` counts the answers to requests that
    // had expired; it must live until close().
    AnswerQueue(std::function<void()> wake, telemetry::Counter& late)
        : wake_(std::move(wake)), late_(late) {}
    void serve_from_this_thread();  // the I/O thread calls it before it handles any request
    void put(Answer answer);
    void count_late();
    // Tells the I/O thread that a stream of the connection has room or output.
    void notify(std::uint64_t connection);
    // Takes the answers, and the connections that were notified. Both vectors must be empty.
    void take(std::vector<Answer>& answers, std::vector<std::uint64_t>& notified);
    void close();  // no wake calls after this; later answers are dropped

private:
    void wake(bool is_first);  // with the lock held
    std::mutex mutex_;
    std::function<void()> wake_;  // null after close()
    telemetry::Counter& late_;
    std::vector<Answer> answers_;
    std::vector<std::uint64_t> notified_;
    std::thread::id io_thread_;
};

// A request with its way back. Evaluates the preconditions of a request that reads. Destroyed
// without an answer, it answers 500. Thread-safe.
class PendingReply final : public Reply::Exchange,
                           public std::enable_shared_from_this<PendingReply> {
public:
    // `body`: of a route that streams it, otherwise null. A streamed answer buffers at most
    // `stream_bytes_max` bytes.
    PendingReply(Request request, Conversation::Place place, Conversation::Time since,
                 std::shared_ptr<AnswerQueue> queue, std::shared_ptr<BodyPipe> body = {},
                 std::size_t stream_bytes_max = 0)
        : request_(std::move(request)),
          place_(place),
          since_(since),
          queue_(std::move(queue)),
          body_(std::move(body)),
          stream_bytes_max_(stream_bytes_max) {}
    ~PendingReply() override;
    const Request& request() const override { return request_; }
    void complete(Response response) override;
    BodyStream& body() override;
    std::unique_ptr<AnswerStream> begin(Response head) override;
    // Sends the head of a streamed answer. Returns false if the request has an answer already.
    bool start(Response head, std::shared_ptr<AnswerPipe> stream);
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

    bool put(Response response, std::shared_ptr<AnswerPipe> stream);
    Request request_;
    Conversation::Place place_;
    Conversation::Time since_;
    std::shared_ptr<AnswerQueue> queue_;
    const std::shared_ptr<BodyPipe> body_;
    const std::size_t stream_bytes_max_;
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

// Calls the handler of the route. An exception of the handler is answered 500.
void call_handler(const Route& route, const std::shared_ptr<PendingReply>& pending);

}  // namespace trackops::http
