#include "load/retrying_client.hpp"

#include <algorithm>

#include "base/chance.hpp"

namespace trackops::load {

namespace {

bool is_retryable(const Result<Response>& response) {
    if (!response) return response.error().code != Errc::invalid;
    const int status = response->status;
    // A 409 with Retry-After: a request with the same key is in flight.
    if (status == 409) return response->retry_after > Duration::zero();
    return status == 408 || status == 429 || status >= 500;
}

}  // namespace

std::optional<Duration> retry_delay(const Result<Response>& response, int tries, double chance) {
    if (tries >= tries_max || !is_retryable(response)) return std::nullopt;
    const auto asked =
        response ? std::min(response->retry_after, retry_after_max) : Duration::zero();
    return asked + jittered_wait(retry_backoff, tries, chance);
}

struct RetryingClient::PendingRequest {
    Request call;
    HttpClient::Done done;
    int tries = 0;
};

void RetryingClient::send_with_retries(Request call, HttpClient::Done done) {
    attempt(std::make_shared<PendingRequest>(PendingRequest{std::move(call), std::move(done)}));
}

void RetryingClient::attempt(const std::shared_ptr<PendingRequest>& pending) {
    ++pending->tries;
    client_.send(pending->call, [this, pending](Result<Response> response) {
        const auto pause = retry_delay(response, pending->tries, system_chance().draw());
        if (!pause) return pending->done(std::move(response));
        ++retried_;
        client_.after(*pause, [this, pending] { attempt(pending); });
    });
}

}  // namespace trackops::load
