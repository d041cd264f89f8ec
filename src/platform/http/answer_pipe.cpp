#include "platform/http/answer_pipe.hpp"

#include <algorithm>
#include <chrono>

namespace trackops::http {

Result<void> AnswerPipe::write(std::string_view bytes, Duration within) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    while (!bytes.empty()) {
        bool is_first = false;
        {
            std::unique_lock lock(mutex_);
            const bool is_in_time = has_room_.wait_until(
                lock, deadline, [this] { return is_over() || written_.size() < bytes_max_; });
            if (is_over()) return fail(Errc::unavailable, "the client has gone");
            if (!is_in_time) return fail(Errc::timeout, "the client reads too slowly");
            const std::size_t count = std::min(bytes.size(), bytes_max_ - written_.size());
            is_first = written_.empty();
            written_ += bytes.substr(0, count);
            bytes.remove_prefix(count);
        }
        if (is_first) has_output_();
    }
    return {};
}

bool AnswerPipe::try_write(std::string_view bytes) {
    bool is_first = false;
    {
        const std::lock_guard lock(mutex_);
        if (is_over() || bytes.size() > bytes_max_ - written_.size()) return false;
        is_first = written_.empty();
        written_ += bytes;
    }
    if (is_first) has_output_();
    return true;
}

void AnswerPipe::finish(End end) {
    {
        const std::lock_guard lock(mutex_);
        if (end_ != End::open) return;
        end_ = end;
    }
    has_output_();
}

bool AnswerPipe::is_silent() const {
    const std::lock_guard lock(mutex_);
    return written_.empty() && end_ == End::open;
}

AnswerPipe::End AnswerPipe::take(std::string& out, std::size_t bytes_max) {
    End end = End::open;
    {
        const std::lock_guard lock(mutex_);
        if (written_.size() <= bytes_max) {
            out += written_;
            written_.clear();
            end = end_;
        } else {
            out.append(written_, 0, bytes_max);
            written_.erase(0, bytes_max);
        }
    }
    has_room_.notify_one();
    return end;
}

void AnswerPipe::abandon() {
    {
        const std::lock_guard lock(mutex_);
        is_abandoned_ = true;
        std::string().swap(written_);  // frees it
    }
    has_room_.notify_all();
}

}  // namespace trackops::http
