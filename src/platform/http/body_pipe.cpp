#include "platform/http/body_pipe.hpp"

#include <utility>

namespace trackops::http {

// The bytes of a line without its end are told of only when the pipe is full of them.
void BodyPipe::put(std::string_view bytes) {
    if (bytes.empty()) return;
    bool is_full = false;
    {
        const std::lock_guard lock(mutex_);
        if (error_) return;
        arrived_ += bytes;
        is_full = arrived_.size() >= limits_.bytes_max;
    }
    if (is_full || bytes.find('\n') != std::string_view::npos) has_lines_();
}

void BodyPipe::finish() {
    {
        const std::lock_guard lock(mutex_);
        is_whole_ = true;
    }
    has_lines_();
}

void BodyPipe::fail(Error error) {
    {
        const std::lock_guard lock(mutex_);
        if (error_) return;
        error_ = std::move(error);
        std::string().swap(arrived_);  // frees it
    }
    has_lines_();
}

bool BodyPipe::is_full() const {
    const std::lock_guard lock(mutex_);
    return arrived_.size() >= limits_.bytes_max;
}

Result<BodyLines> BodyPipe::take(std::size_t lines_max) {
    BodyLines taken;
    for (;;) {
        split(taken.lines, lines_max);
        if (!taken.lines.empty()) return taken;
        const Fetched fetched = TRY(fetch());
        if (fetched == Fetched::bytes) continue;
        if (fetched == Fetched::nothing_yet) return taken;
        taken.is_over = true;
        // The last line may lack its line break.
        if (!unread_.empty() || skips_line_) add_line(taken.lines, unread_);
        unread_.clear();
        scanned_ = 0;
        return taken;
    }
}

Result<BodyPipe::Fetched> BodyPipe::fetch() {
    bool was_full = false;
    {
        const std::lock_guard lock(mutex_);
        if (error_) return std::unexpected(*error_);
        if (arrived_.empty()) return is_whole_ ? Fetched::end : Fetched::nothing_yet;
        was_full = arrived_.size() >= limits_.bytes_max;
        unread_ += arrived_;
        arrived_.clear();
    }
    if (was_full) has_room_();
    return Fetched::bytes;
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
