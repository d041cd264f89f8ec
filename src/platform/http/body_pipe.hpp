// Carries a streamed request body from the I/O thread to the thread of the handler.
#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/http/stream.hpp"

namespace trackops::http {

struct BodyPipeLimits {
    // Received bytes that nobody has read. Beyond it the pipe is full; the bytes of one more
    // receive may follow.
    std::size_t bytes_max = 256 * 1024;
    std::size_t line_bytes_max = 64 * 1024;  // the rest of a longer line is dropped
};

// Thread-safe between one filling and one reading thread.
class BodyPipe final : public BodyStream {
public:
    // `has_room` is called on the reading thread when a full pipe was emptied.
    BodyPipe(BodyPipeLimits limits, std::function<void()> has_room)
        : limits_(limits), has_room_(std::move(has_room)) {}

    void put(std::string_view bytes);
    void finish();  // the body is whole
    void fail(
        Error error);  // no more bytes come; the reader gets `error` next. The first one counts
    bool is_full() const;

    Result<std::vector<BodyLine>> read(std::size_t lines_max, Duration within) override;

private:
    // Waits for bytes and appends them to unread_. Returns false if the body is over.
    Result<bool> fetch(std::chrono::steady_clock::time_point deadline);
    void split(std::vector<BodyLine>& lines, std::size_t lines_max);
    void add_line(std::vector<BodyLine>& lines, std::string_view line);

    const BodyPipeLimits limits_;
    const std::function<void()> has_room_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::string arrived_;
    bool is_whole_ = false;
    std::optional<Error> error_;

    // Of the reading thread.
    std::string unread_;
    std::size_t scanned_ = 0;  // no line break stands before it in unread_
    bool skips_line_ = false;  // the beginning of this line was dropped
    std::int64_t last_number_ = 0;
};

}  // namespace trackops::http
