#include "platform/http/bulk_requests.hpp"

#include <algorithm>
#include <utility>

namespace trackops::http {

void BulkRequest::begin(std::shared_ptr<PendingReply> pending) {
    pending_ = std::move(pending);
    queue();
}

void BulkRequest::wake() {
    State state = state_;
    while (state == State::waiting || state == State::running) {
        const bool is_waiting = state == State::waiting;
        if (!state_.compare_exchange_weak(state, is_waiting ? State::queued : State::woken))
            continue;
        if (is_waiting) queue();
        return;
    }
}

void BulkRequest::queue() { all_.queue(shared_from_this()); }

void BulkRequest::run() {
    state_ = State::running;
    const StreamWork::Next next = step();
    if (next == StreamWork::Next::done) {
        // The state stays: a wake() from now on does nothing that matters.
        work_.reset();
        pending_.reset();
        return all_.remove(*this);
    }
    State state = State::running;
    const bool waits =
        next == StreamWork::Next::later && state_.compare_exchange_strong(state, State::waiting);
    if (waits) return;
    state_ = State::queued;
    queue();
}

StreamWork::Next BulkRequest::step() {
    try {
        if (std::exchange(has_begun_, true)) return work_->step();
        call_handler(route_, pending_);
        work_ = pending_->take_work();
        return work_ ? StreamWork::Next::again : StreamWork::Next::done;
    } catch (const std::exception& error) {
        pending_->fail(error);
        return StreamWork::Next::done;
    }
}

BulkRequests::Taken BulkRequests::take(const Route& route, const ClientAddress& client) {
    const std::lock_guard lock(mutex_);
    if (requests_.size() >= requests_max_) return {Verdict::full};
    std::size_t& of_client = by_client_[network_of(client)];
    if (!is_loopback(client) && of_client >= std::max<std::size_t>(requests_max_ / 2, 1))
        return {Verdict::full_for_client};
    ++of_client;
    auto request = std::make_shared<BulkRequest>(*this, route, client);
    requests_.emplace(request.get(), request);
    return {Verdict::taken, std::move(request)};
}

void BulkRequests::queue(std::shared_ptr<BulkRequest> request) {
    const ClientAddress client = request->client_;
    workers_.resume([request = std::move(request)] { request->run(); }, client);
}

void BulkRequests::remove(const BulkRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_.erase(&request);
    const auto found = by_client_.find(network_of(request.client_));
    if (--found->second == 0) by_client_.erase(found);
}

void BulkRequests::clear() {
    std::map<const BulkRequest*, std::shared_ptr<BulkRequest>> dropped;
    const std::lock_guard lock(mutex_);
    dropped.swap(requests_);
    by_client_.clear();
}

}  // namespace trackops::http
