// Carries responses from any thread to the I/O thread.
#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
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
    // The I/O thread calls it before it handles any request. Its own answers do not wait in the
    // queue: they go to `deliver` at once, until close().
    void serve_from_this_thread(std::function<void(Answer)> deliver);
    void put(Answer answer);
    void count_late();
    // Tells the I/O thread that a stream of the connection has room or output.
    void notify(std::uint64_t connection);
    // Takes the answers, and the connections that were notified. Both vectors must be empty.
    void take(std::vector<Answer>& answers, std::vector<std::uint64_t>& notified);
    void close();  // no wake calls after this; later answers are dropped

private:
    bool is_on_io_thread() const { return std::this_thread::get_id() == io_thread_; }
    void wake(bool is_first);  // with the lock held
    std::mutex mutex_;
    std::function<void()> wake_;  // null after close()
    telemetry::Counter& late_;
    std::vector<Answer> answers_;
    std::vector<std::uint64_t> notified_;
    std::function<void(Answer)> deliver_;       // only the I/O thread uses it
    std::atomic<std::thread::id> io_thread_{};  // none before the start and after close()
};

// The parts that only a bulk request has.
struct BulkPart {
    std::shared_ptr<BodyPipe> body;  // null if the route does not stream its body
    std::function<void()> wake;      // a stream has something new to tell the work
    std::unique_ptr<StreamWork> work = {};
};

// A request with its way back. Evaluates the preconditions of a request that reads. Destroyed
// without an answer, it answers 500. Thread-safe.
class PendingReply final : public Reply::Exchange,
                           public std::enable_shared_from_this<PendingReply> {
public:
    // A streamed answer has room for `stream_bytes_max` bytes. `bulk` is null for a route of
    // another class.
    PendingReply(Request&& request, Conversation::Place place, Conversation::Time since,
                 std::shared_ptr<AnswerQueue> queue, std::size_t stream_bytes_max = 0,
                 std::unique_ptr<BulkPart> bulk = {})
        : request_(std::move(request)),
          place_(place),
          since_(since),
          queue_(std::move(queue)),
          stream_bytes_max_(stream_bytes_max),
          bulk_(std::move(bulk)) {}
    ~PendingReply() override;
    const Request& request() const override { return request_; }
    // An answer for which the budget has no room is replaced by 503 overloaded, if it can be asked
    // for again.
    void complete(Response response) override;
    void known(Response response) override;
    BodyStream& body() override;
    std::unique_ptr<AnswerStream> begin(Response head) override;
    void run(std::unique_ptr<StreamWork> work) override;
    // Returns what the handler has passed to run(); null if nothing.
    std::unique_ptr<StreamWork> take_work();
    // The handler, or its work, has thrown. Answers 500 unless there is an answer.
    void fail(const std::exception& error);
    // Sends the head of a streamed answer. Returns false if the request has an answer already.
    bool start(Response head, std::shared_ptr<AnswerPipe> stream);
    // The caller is about to run the handler. Returns false if the request has expired: it has its
    // answer, and the handler must not run.
    bool begin_handling();
    // Answers in the handler's place, unless it has answered: with what is known, else 503:
    // unavailable if the handler has not begun or the method is safe, else outcome-unknown. The
    // handler's own answer, should it come, is dropped and counted. Returns true if this call has
    // answered.
    bool expire();
    bool is_over() const { return state_ >= State::answered; }
    Conversation::Time since() const { return since_; }  // its arrival

private:
    enum class State : std::uint8_t { queued, handled, answered, expired };

    bool put(Response response, std::shared_ptr<AnswerPipe> stream);
    bool is_safe() const { return request_.method == "GET" || request_.method == "HEAD"; }
    Response affordable(Response response) const;
    Request request_;
    Conversation::Place place_;
    Conversation::Time since_;
    std::shared_ptr<AnswerQueue> queue_;
    const std::size_t stream_bytes_max_;
    const std::unique_ptr<BulkPart> bulk_;
    std::unique_ptr<Response> known_;
    std::atomic<bool> has_known_ = false;  // known_ is set, and stays as it is
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
