#include "load/courier.hpp"

#include <algorithm>

namespace trackops::load {

namespace {

bool is_worth_another_try(const Result<Answer>& answer) {
    if (!answer) return answer.error().code != Errc::invalid;
    const int status = answer->status;
    if (status == 409) return answer->retry_after > Duration::zero();  // its twin is in flight
    return status == 408 || status == 429 || status >= 500;
}

}  // namespace

std::optional<Duration> pause_before_retry(const Result<Answer>& answer, int tries,
                                           std::uint64_t salt) {
    if (tries >= tries_max || !is_worth_another_try(answer)) return std::nullopt;
    const auto doubled = std::min(pause_min * (1 << std::min(tries - 1, 10)), pause_max);
    const auto spread = doubled.count() / 2 * static_cast<std::int64_t>(salt % 16) / 16;
    const auto asked = answer ? std::min(answer->retry_after, retry_after_max) : Duration::zero();
    return std::max(doubled, asked) + Duration(spread);
}

struct Courier::Errand {
    Call call;
    Wire::Done done;
    std::uint64_t salt = 0;
    int tries = 0;
};

void Courier::deliver(Call call, Wire::Done done) {
    attempt(std::make_shared<Errand>(Errand{std::move(call), std::move(done), ++delivered_}));
}

void Courier::attempt(const std::shared_ptr<Errand>& errand) {
    ++errand->tries;
    wire_.send(errand->call, [this, errand](Result<Answer> answer) {
        const auto pause = pause_before_retry(answer, errand->tries, errand->salt);
        if (!pause) return errand->done(std::move(answer));
        ++retried_;
        wire_.after(*pause, [this, errand] { attempt(errand); });
    });
}

}  // namespace trackops::load
