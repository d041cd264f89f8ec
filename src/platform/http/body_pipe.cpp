#include "platform/http/body_pipe.hpp"

#include <utility>

namespace trackops::http {

void BodyPipe::put(std::string_view bytes) {
    if (bytes.empty()) return;
    {
        const std::lock_guard lock(mutex_);
        if (error_) return;
        arrived_ += bytes;
    }
    changed_.notify_one();
}

void BodyPipe::finish() {
    {
        const std::lock_guard lock(mutex_);
        is_whole_ = true;
    }
    changed_.notify_one();
}

void BodyPipe::fail(Error error) {
    {
        const std::lock_guard lock(mutex_);
        if (error_) return;
        error_ = std::move(error);
        std::string().swap(arrived_);  // frees it
    }
    changed_.notify_one();
}

bool BodyPipe::is_full() const {
    const std::lock_guard lock(mutex_);
    return arrived_.size() >= limits_.bytes_max;
}

Result<std::vector<BodyLine>> BodyPipe::read(std::size_t lines_max, Duration within) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    std::vector<BodyLine> lines;
    for (;;) {
        split(lines, lines_max);
        if (!lines.empty()) return lines;
        const bool has_more = TRY(fetch(deadline));
        if (has_more) continue;
        // The last line may lack its line break.
        if (!unread_.empty() || skips_line_) add_line(lines, unread_);
        unread_.clear();
        scanned_ = 0;
        return lines;
    }
}

Result<bool> BodyPipe::fetch(std::chrono::steady_clock::time_point deadline) {
    bool was_full = false;
    {
        std::unique_lock lock(mutex_);
        const bool is_in_time = changed_.wait_until(
            lock, deadline, [this] { return error_ || is_whole_ || !arrived_.empty(); });
        if (error_) return std::unexpected(*error_);
        if (!is_in_time) return trackops::fail(Errc::timeout, "no line of the body came in time");
        if (arrived_.empty()) return false;
        was_full = arrived_.size() >= limits_.bytes_max;
        unread_ += arrived_;
        arrived_.clear();
    }
    if (was_full) has_room_();
    return true;
}

void BodyPipe::split(std::vector<BodyLine>& lines, std::size_t lines_max) {
    std::size_t begin = 0;
    while (lines.size() < lines_max) {
        const std::size_t end = unread_.find('\n', scanned_);
        if (end == std::string::npos) {
            scanned_ = unread_.size();
            break;
        }
        const std::string_view line = std::string_view(unread_).substr(begin, end - begin);
        add_line(lines, line);
        begin = end + 1;
        scanned_ = begin;
    }
    unread_.erase(0, begin);
    scanned_ -= begin;
    if (scanned_ == unread_.size() && unread_.size() > limits_.line_bytes_max) {
        skips_line_ = true;
        unread_.clear();
        scanned_ = 0;
    }
}

void BodyPipe::add_line(std::vector<BodyLine>& lines, std::string_view line) {
    ++last_number_;
    const bool is_too_long =
        std::exchange(skips_line_, false) || line.size() > limits_.line_bytes_max;
    if (is_too_long) return lines.push_back({last_number_, {}, true});
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
    lines.push_back({last_number_, std::string(line)});
}

}  // namespace trackops::http
