// A request body that is read while it arrives, and an answer that leaves while it is written. Both
// are bounded in bytes: the faster side waits for the slower one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"

namespace trackops::http {

// One line of a body, without its line break.
struct BodyLine {
    std::int64_t number = 0;   // from 1; empty lines count, although they are not given
    std::string text;          // empty if is_too_long
    bool is_too_long = false;  // it had more bytes than a line may have
};

// The lines of a request body. One thread reads them.
class BodyStream {
public:
    virtual ~BodyStream() = default;
    // Returns the complete lines that have arrived, at most `lines_max`, and waits for the first
    // one at most `within`. Leaves out lines that are empty or hold only spaces. Returns no line
    // when the body is over. Errc::timeout: no line came in time, or the client sends too slowly.
    // Errc::malformed: the body ended before it was whole, because the client went away or sent
    // what is not HTTP. After such an error no more lines come.
    virtual Result<std::vector<BodyLine>> read(std::size_t lines_max, Duration within) = 0;
};

// An answer whose status and headers are known and whose body follows in pieces. They leave with
// the first piece. Destroyed before finish(), the answer ends in the middle: the connection closes
// and the client sees that something is missing. One thread writes at a time.
class AnswerStream {
public:
    virtual ~AnswerStream() = default;
    // Appends to the body. Waits for room, at most `within`, while the client reads more slowly
    // than this writes. Errc::timeout: there was no room in time; a part may have been appended.
    // Errc::unavailable: the client has gone. After an error nothing more can be written.
    virtual Result<void> write(std::string_view bytes, Duration within) = 0;
    // Appends all of `bytes`, or nothing and returns false if there is no room now or the client
    // has gone. Never waits.
    virtual bool try_write(std::string_view bytes) = 0;
    // Ends the body. Nothing may be written after it.
    virtual void finish() = 0;
    // The same, and the connection closes after it: for an answer whose last line tells an error.
    virtual void finish_and_close() = 0;
};

}  // namespace trackops::http
