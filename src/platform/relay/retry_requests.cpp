#include "platform/relay/retry_requests.hpp"

#include <utility>

namespace trackops::relay {

std::future<Result<void>> RetryRequests::add(const std::shared_ptr<Request>& request) {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() < waiting_max_)
        waiting_.push_back(request);
    else
        request->answer.set_value(fail(Errc::overloaded, "too many retries are waiting"));
    return request->answer.get_future();
}

void RetryRequests::remove(const std::shared_ptr<Request>& request) {
    const std::scoped_lock lock(mutex_);
    std::erase(waiting_, request);
}

void RetryRequests::answer(const std::function<Result<void>(const Request&)>& retry) {
    std::deque<std::shared_ptr<Request>> taken;
    {
        const std::scoped_lock lock(mutex_);
        taken.swap(waiting_);
    }
    while (!taken.empty()) {
        const auto request = std::move(taken.front());
        taken.pop_front();
        try {
            request->answer.set_value(retry(*request));
        } catch (const std::exception&) {
            request->answer.set_value(fail(Errc::unavailable, "the relay cannot do it at present"));
            const std::scoped_lock lock(mutex_);
            waiting_.insert(waiting_.begin(), taken.begin(), taken.end());
            throw;
        }
    }
}

void RetryRequests::refuse(const Error& error) {
    const std::scoped_lock lock(mutex_);
    for (const auto& request : waiting_) request->answer.set_value(std::unexpected(error));
    waiting_.clear();
}

}  // namespace trackops::relay
