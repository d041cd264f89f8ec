#include "platform/http/inquiry.hpp"

#include <utility>

namespace trackops::http {

void Inquiry::answer(std::shared_ptr<const Principal> principal) {
    {
        const std::lock_guard lock(mutex_);
        if (answer_) return;
        answer_ = std::move(principal);
    }
    on_answer_();
}

std::shared_ptr<const Principal> Inquiry::answer() const {
    const std::lock_guard lock(mutex_);
    return answer_;
}

}  // namespace trackops::http
