// Answers on their way from any thread to the I/O thread.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/http/conversation.hpp"

namespace trackops::http {

class AnswerQueue {
public:
    struct Answer {
        Conversation::Place place;
        Response response;
    };
    // wake: called when the first answer comes in from a thread that is not the I/O thread, which
    // looks by itself.
    explicit AnswerQueue(std::function<void()> wake) : wake_(std::move(wake)) {}
    void serve_from_this_thread();  // called by the I/O thread before it handles anything
    void put(Answer answer);
    void take(std::vector<Answer>& into);  // into is empty
    void close();                          // wakes nobody from now on; what comes is dropped

private:
    std::mutex mutex_;
    std::function<void()> wake_;
    std::vector<Answer> answers_;
    std::thread::id io_thread_;
};

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
