// The calls of Relay::retry() that wait for run().
#pragma once
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>

#include "base/audited_act.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"

namespace trackops::relay {

// Thread-safe. Every request gets exactly one answer, unless remove() came first.
class RetryRequests {
public:
    struct Request {
        Uuid event_id;
        AuditedActPtr act;
        std::promise<Result<void>> answer;
    };
    // At most `waiting_max` requests wait at once; one more is answered Errc::overloaded at once.
    explicit RetryRequests(std::size_t waiting_max) : waiting_max_(waiting_max) {}

    // Returns the future of the request's answer.
    std::future<Result<void>> add(const std::shared_ptr<Request>& request);
    // Forgets a request that still waits.
    void remove(const std::shared_ptr<Request>& request);
    // Answers each waiting request by `retry`. When `retry` throws, that request is answered
    // Errc::unavailable, the others wait on, and the exception goes to the caller.
    void answer(const std::function<Result<void>(const Request&)>& retry);
    void refuse(const Error& error);

private:
    const std::size_t waiting_max_;
    std::mutex mutex_;
    std::deque<std::shared_ptr<Request>> waiting_;
};

}  // namespace trackops::relay
