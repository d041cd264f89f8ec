// The bytes of a response around its body: the status line, the headers, and the chunks of a
// streamed body.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "platform/http/message.hpp"
#include "platform/http/rate_limiter.hpp"

namespace trackops::http {

enum class Framing : std::uint8_t {
    content_length,  // the response holds its whole body
    chunked,         // the body follows in pieces
    until_close,     // the same for a client of HTTP/1.0: the end of the connection ends the body
};

struct ResponseHead {
    std::string_view date;
    std::string_view correlation_id;
    Framing framing = Framing::content_length;
    bool is_http10 = false;
    bool is_last = false;    // the connection closes after this response
    bool is_secure = false;  // the connection has TLS
    RateState rate = {};
    bool depends_on_origin = false;        // CORS is in use
    std::string_view allowed_origin = {};  // whose pages may read the response; "": none
};

// Appends everything before the body. A line break or NUL in a value becomes a space, so that a
// value from outside cannot start another header.
void append_head(std::string& out, const Response& response, const ResponseHead& head);
bool has_content(const Response& response);  // 204 and 304 have no body

// Appends a part of a streamed body; nothing for an empty part, which would end the body.
void append_piece(std::string& out, std::string_view bytes, Framing framing);
void append_end(std::string& out, Framing framing);  // after the last part

}  // namespace trackops::http
