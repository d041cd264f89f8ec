// Carries responses from any thread to the I/O thread.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/http/conversation.hpp"

namespace trackops::http {

// Thread-safe.
class AnswerQueue {
public:
    struct Answer {
        Conversation::Place place;
        Response response;
    };
    // `wake` is called when the first answer arrives from a thread other than the I/O thread. The
    // I/O thread checks the queue by itself.
    explicit AnswerQueue(std::function<void()> wake) : wake_(std::move(wake)) {}
    void serve_from_this_thread();  // the I/O thread calls it before it handles any request
    void put(Answer answer);
    void take(std::vector<Answer>& into);  // `into` must be empty
    void close();                          // no wake calls after this; later answers are dropped

private:
    std::mutex mutex_;
    std::function<void()> wake_;
    std::vector<Answer> answers_;
    std::thread::id io_thread_;
};

// A request with its way back. Evaluates the preconditions of a request that reads. Destroyed
// without an answer, it answers 500.
class PendingReply final : public Reply::Exchange {
public:
    PendingReply(Request request, Conversation::Place place, std::shared_ptr<AnswerQueue> queue)
        : request_(std::move(request)), place_(place), queue_(std::move(queue)) {}
    ~PendingReply() override;
    const Request& request() const override { return request_; }
    void complete(Response response) override;

private:
    Request request_;
    Conversation::Place place_;
    std::shared_ptr<AnswerQueue> queue_;
    std::atomic<bool> is_answered_ = false;
};

}  // namespace trackops::http
