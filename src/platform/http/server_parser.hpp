// Parses successive HTTP/1.x requests out of a stream of bytes, with Beast's parser.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "platform/http/message.hpp"

namespace trackops::http {

struct RequestHead {
    std::string target;
    bool is_http10 = false;
    bool keeps_alive = false;
    bool expects_continue = false;
    bool has_body = false;    // announced by Content-Length or chunked
    bool is_chunked = false;  // the body may turn out to be empty
    std::optional<std::uint64_t> content_length;
};

class RequestParser {
public:
    enum class Step : std::uint8_t { need_more, header, complete };

    explicit RequestParser(std::size_t header_bytes_max);
    ~RequestParser();
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    // Advances to the next step. `used` bytes are consumed; pass the others again, with more bytes
    // after them. After an error (Errc::malformed, header_too_large, too_large) the stream cannot
    // be parsed any further.
    Result<Step> parse(std::string_view bytes, std::size_t& used);
    // Call it after the header, before the body is parsed. A body that is not kept still counts
    // against bytes_max.
    Result<void> take_body(std::size_t bytes_max, bool keep);
    static constexpr std::size_t unlimited = SIZE_MAX;
    void next();                 // after Step::complete: prepares for the next request
    bool is_in_request() const;  // true in the middle of a request
    bool is_in_body() const;     // true between its header and its end

    // Method and headers are valid from Step::header, the body from Step::complete. A caller that
    // streams a body takes the part that has arrived out of it after each step.
    Request& request();
    const RequestHead& head() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::http
