#include "load/retrying_client.hpp"

#include <algorithm>

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

std::optional<Duration> retry_delay(const Result<Response>& response, int tries,
                                    std::uint64_t salt) {
    if (tries >= tries_max || !is_retryable(response)) return std::nullopt;
    const auto doubled =
        std::min(retry_delay_min * (1 << std::min(tries - 1, 10)), retry_delay_max);
    const auto spread = doubled.count() / 2 * static_cast<std::int64_t>(salt % 16) / 16;
    const auto asked =
        response ? std::min(response->retry_after, retry_after_max) : Duration::zero();
    return std::max(doubled, asked) + Duration(spread);
}

struct RetryingClient::PendingRequest {
    Request call;
    HttpClient::Done done;
    std::uint64_t salt = 0;
    int tries = 0;
};

void RetryingClient::send_with_retries(Request call, HttpClient::Done done) {
    attempt(std::make_shared<PendingRequest>(
        PendingRequest{std::move(call), std::move(done), ++delivered_}));
}

void RetryingClient::attempt(const std::shared_ptr<PendingRequest>& pending) {
    ++pending->tries;
    client_.send(pending->call, [this, pending](Result<Response> response) {
        const auto pause = retry_delay(response, pending->tries, pending->salt);
        if (!pause) return pending->done(std::move(response));
        ++retried_;
        client_.after(*pause, [this, pending] { attempt(pending); });
    });
}

}  // namespace trackops::load
