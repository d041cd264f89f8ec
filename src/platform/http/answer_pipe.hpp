// Carries the body of a streamed answer from the thread of the handler to the I/O thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace trackops::http {

// Thread-safe between one writing and one sending thread.
class AnswerPipe {
public:
    enum class End : std::uint8_t {
        open,    // more may follow
        whole,   // the body is over
        closes,  // the body is over, and so is the connection
        broken,  // the body ends in the middle
    };
    // Has room for `bytes_max` written bytes that are not taken. `has_output` is called on the
    // writing thread when take() has something new to tell; `has_room` on the sending thread when
    // a full pipe has room again, and when the client has gone.
    AnswerPipe(
        std::size_t bytes_max, std::function<void()> has_output,
        std::function<void()> has_room = [] {})
        : bytes_max_(bytes_max),
          has_output_(std::move(has_output)),
          has_room_(std::move(has_room)) {}

    // As the members of AnswerStream.
    bool has_room() const;
    Result<void> write(std::string_view bytes);
    bool try_write(std::string_view bytes);
    void finish(End end);  // `end` is not open; the first call counts

    bool is_silent() const;  // there is nothing to take, and the end is open
    // Appends at most `bytes_max` bytes to `out`. Returns `open` until every byte was taken.
    End take(std::string& out, std::size_t bytes_max);
    // The client has gone: drops what was written and refuses the rest.
    void abandon();

private:
    // With the lock held.
    bool is_over() const { return is_abandoned_ || end_ != End::open; }
    bool is_full() const { return written_.size() >= bytes_max_; }
    const std::size_t bytes_max_;
    const std::function<void()> has_output_;
    const std::function<void()> has_room_;
    mutable std::mutex mutex_;
    std::string written_;
    End end_ = End::open;
    bool is_abandoned_ = false;
};

}  // namespace trackops::http
