// Carries a streamed request body from the I/O thread to the thread of the handler.
#pragma once
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
    // Received bytes that nobody has taken. Beyond it the pipe is full; the bytes of one more
    // receive may follow.
    std::size_t bytes_max = 256 * 1024;
    std::size_t line_bytes_max = 64 * 1024;  // the rest of a longer line is dropped
};

// Thread-safe between one filling and one taking thread.
class BodyPipe final : public BodyStream {
public:
    // `has_room` is called on the taking thread when a full pipe was emptied; `has_lines` on the
    // filling thread when take() may have something new to tell.
    BodyPipe(
        BodyPipeLimits limits, std::function<void()> has_room,
        std::function<void()> has_lines = [] {})
        : limits_(limits), has_room_(std::move(has_room)), has_lines_(std::move(has_lines)) {}

    void put(std::string_view bytes);
    void finish();  // the body is whole
    void fail(
        Error error);  // no more bytes come; the taker gets `error` next. The first one counts
    bool is_full() const;

    Result<BodyLines> take(std::size_t lines_max) override;

private:
    enum class Fetched : std::uint8_t { bytes, nothing_yet, end };
    // Moves the arrived bytes to unread_.
    Result<Fetched> fetch();
    void split(std::vector<BodyLine>& lines, std::size_t lines_max);
    void add_line(std::vector<BodyLine>& lines, std::string_view line);

    const BodyPipeLimits limits_;
    const std::function<void()> has_room_;
    const std::function<void()> has_lines_;
    mutable std::mutex mutex_;
    std::string arrived_;
    bool is_whole_ = false;
    std::optional<Error> error_;

    // Of the taking thread.
    std::string unread_;
    std::size_t scanned_ = 0;  // no line break stands before it in unread_
    bool skips_line_ = false;  // the beginning of this line was dropped
    std::int64_t last_number_ = 0;
};

}  // namespace trackops::http
