// Reads HTTP/1.x requests out of a stream of bytes, one after the other, on Beast's parser.
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
    bool has_body = false;  // announced by Content-Length or chunked
    std::optional<std::uint64_t> content_length;
};

class RequestParser {
public:
    enum class Step : std::uint8_t { need_more, header, complete };

    explicit RequestParser(std::size_t header_bytes_max);
    ~RequestParser();
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    // Goes on to the next step. `used` bytes are done with; the others have to come again, with
    // more behind them. Errc::malformed, header_too_large, too_large: the stream cannot be read any
    // further.
    Result<Step> parse(std::string_view bytes, std::size_t& used);
    // Between the header and the rest. A body that is not kept is counted against bytes_max all the
    // same.
    Result<void> take_body(std::size_t bytes_max, bool keep);
    void next();                 // after complete: makes ready for another request
    bool is_in_request() const;  // of a request that is not complete

    Request& request();  // method and headers from step header on, body from complete on
    const RequestHead& head() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::http
