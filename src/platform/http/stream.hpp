// A request body that is read while it arrives, and an answer that leaves while it is written. Both
// are bounded in bytes: the faster side waits for the slower one, and no thread waits with it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace trackops::http {

// One line of a body, without its line break.
struct BodyLine {
    std::int64_t number = 0;   // from 1; empty lines count, although they are not given
    std::string text;          // empty if is_too_long
    bool is_too_long = false;  // it had more bytes than a line may have
};

struct BodyLines {
    std::vector<BodyLine> lines;
    bool is_over = false;  // these were the last lines of the body
};

// The lines of a request body. One thread at a time takes them.
class BodyStream {
public:
    virtual ~BodyStream() = default;
    // Returns the complete lines that have arrived, at most `lines_max`; none if there are none
    // yet. Never waits. Leaves out lines that are empty or hold only spaces. Errc::timeout: the
    // client sends too slowly. Errc::malformed: the body ended before it was whole, because the
    // client went away or sent what is not HTTP. After such an error no more lines come.
    virtual Result<BodyLines> take(std::size_t lines_max) = 0;
};

// An answer whose status and headers are known and whose body follows in pieces. They leave with
// the first piece. Destroyed before finish(), the answer ends in the middle: the connection closes
// and the client sees that something is missing. One thread writes at a time.
class AnswerStream {
public:
    virtual ~AnswerStream() = default;
    // Returns false while more bytes wait to be sent than may wait: a writer that has the choice
    // writes later.
    virtual bool has_room() const = 0;
    // Appends to the body, whatever has_room() says. Never waits. Errc::unavailable: the client has
    // gone, and nothing more can be written.
    virtual Result<void> write(std::string_view bytes) = 0;
    // Appends all of `bytes`, or nothing and returns false if there is no room now or the client
    // has gone. Never waits.
    virtual bool try_write(std::string_view bytes) = 0;
    // Ends the body. Nothing may be written after it.
    virtual void finish() = 0;
    // The same, and the connection closes after it: for an answer whose last line tells an error.
    virtual void finish_and_close() = 0;
};

// The work of a bulk request, in steps between which it holds no thread.
class StreamWork {
public:
    enum class Next : std::uint8_t {
        again,  // there is more to do now; other requests get their turn first
        later,  // when lines have arrived, the answer has room, or one of both has ended
        done,
    };
    virtual ~StreamWork() = default;
    // Does what can be done now, without waiting for the client. Runs on a worker, never twice at
    // once. An exception ends the work and, if nothing was answered, is answered 500.
    virtual Next step() = 0;
};

}  // namespace trackops::http
