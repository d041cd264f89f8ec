// Parses one HTTP/1.x response out of a stream of bytes, with Beast's parser.
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace trackops::http {

class ResponseParser {
public:
    ResponseParser(std::size_t header_bytes_max, std::size_t body_bytes_max);
    ~ResponseParser();
    ResponseParser(const ResponseParser&) = delete;
    ResponseParser& operator=(const ResponseParser&) = delete;

    // Takes the next bytes of the stream. Returns true when the response is complete. Must not be
    // called again after that, nor after an error (Errc::malformed, header_too_large, too_large).
    Result<bool> receive(std::string_view bytes);
    // Takes the end of the stream before receive() has returned true. A response of undeclared
    // length is complete then; for any other the result is Errc::malformed.
    Result<void> end_input();

    // These are valid when the response is complete.
    int status() const;
    // The name may be in any case. Returns the first of several headers, and no trailer.
    std::optional<std::string_view> header(std::string_view name) const;
    std::string& body();
    // Returns true if the connection can carry another request.
    bool keeps_alive() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::http
