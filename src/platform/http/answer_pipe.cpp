#include "platform/http/answer_pipe.hpp"

namespace trackops::http {

// A writer whose client has gone is told so by its next write().
bool AnswerPipe::has_room() const {
    const std::lock_guard lock(mutex_);
    return is_over() || !is_full();
}

Result<void> AnswerPipe::write(std::string_view bytes) {
    bool is_first = false;
    {
        const std::lock_guard lock(mutex_);
        if (is_over()) return fail(Errc::unavailable, "the client has gone");
        is_first = written_.empty() && !bytes.empty();
        written_ += bytes;
    }
    if (is_first) has_output_();
    return {};
}

bool AnswerPipe::try_write(std::string_view bytes) {
    bool is_first = false;
    {
        const std::lock_guard lock(mutex_);
        if (is_over() || is_full() || bytes.size() > bytes_max_ - written_.size()) return false;
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
    bool was_full = false;
    bool is_full = false;
    {
        const std::lock_guard lock(mutex_);
        was_full = this->is_full();
        if (written_.size() <= bytes_max) {
            out += written_;
            written_.clear();
            end = end_;
        } else {
            out.append(written_, 0, bytes_max);
            written_.erase(0, bytes_max);
        }
        is_full = this->is_full();
    }
    if (was_full && !is_full) has_room_();
    return end;
}

void AnswerPipe::abandon() {
    {
        const std::lock_guard lock(mutex_);
        is_abandoned_ = true;
        std::string().swap(written_);  // frees it
    }
    has_room_();
}

}  // namespace trackops::http
