#include "platform/http/response_parser.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

#include "platform/http/last_chunk.hpp"

namespace trackops::http {
namespace {

namespace beast = boost::beast;
using Code = beast::error_code;

// Parser callbacks that keep the response.
class ParserCallbacks final : public beast::http::basic_parser<false> {
public:
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

private:
    void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int,
                         Code&) override {}
    void on_response_impl(int code, beast::string_view, int, Code&) override { status = code; }
    void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                       Code&) override {
        if (is_header_done_) return;  // trailers are ignored
        headers.emplace_back(std::string(name.data(), name.size()),
                             std::string(value.data(), value.size()));
    }
    void on_header_impl(Code&) override { is_header_done_ = true; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
    std::size_t on_body_impl(beast::string_view bytes, Code&) override {
        body.append(bytes.data(), bytes.size());
        return bytes.size();
    }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, Code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, Code& ec) override {
        return on_body_impl(bytes, ec);
    }
    void on_finish_impl(Code&) override {}

    bool is_header_done_ = false;
};

Error refusal(const Code& ec) {
    if (ec == beast::http::error::header_limit)
        return {Errc::header_too_large, "the response's headers are larger than they may be"};
    if (ec == beast::http::error::body_limit)
        return {Errc::too_large, "the response's body is larger than it may be"};
    return {Errc::malformed, fmt::format("the response is not HTTP/1.1: {}", ec.message())};
}

}  // namespace

struct ResponseParser::State {
    std::size_t header_bytes_max;
    ParserCallbacks reading = {};
    std::string unparsed = {};
};

ResponseParser::ResponseParser(std::size_t header_bytes_max, std::size_t body_bytes_max)
    : state_(std::make_unique<State>(header_bytes_max)) {
    state_->reading.header_limit(static_cast<std::uint32_t>(header_bytes_max));
    state_->reading.body_limit(body_bytes_max);
}
ResponseParser::~ResponseParser() = default;

Result<bool> ResponseParser::receive(std::string_view bytes) {
    ParserCallbacks& reading = state_->reading;
    std::string& unparsed = state_->unparsed;
    unparsed += bytes;
    std::string_view rest = unparsed;
    Code ec;
    while (!reading.is_done() && !rest.empty() && !ec) {
        const bool is_in_body = reading.is_header_done();
        if (is_in_body && reading.chunked() && is_unfinished_last_chunk(rest)) break;
        reading.eager(is_in_body);  // the guard must see the first chunk apart from the header
        rest.remove_prefix(reading.put(boost::asio::const_buffer(rest.data(), rest.size()), ec));
    }
    if (ec && ec != beast::http::error::need_more) return std::unexpected(refusal(ec));
    unparsed.erase(0, unparsed.size() - rest.size());
    if (!reading.is_done() && unparsed.size() > state_->header_bytes_max)
        return std::unexpected(refusal(beast::http::error::header_limit));
    return reading.is_done();
}

Result<void> ResponseParser::end_input() {
    Code ec = beast::http::error::partial_message;
    if (state_->reading.got_some()) state_->reading.put_eof(ec);
    if (ec)
        return fail(Errc::malformed, "the server closed the connection before its response ended");
    return {};
}

int ResponseParser::status() const { return state_->reading.status; }
std::string& ResponseParser::body() { return state_->reading.body; }

std::optional<std::string_view> ResponseParser::header(std::string_view name) const {
    const auto found = std::ranges::find_if(state_->reading.headers, [name](const auto& header) {
        return beast::iequals(header.first, {name.data(), name.size()});
    });
    if (found == state_->reading.headers.end()) return std::nullopt;
    return found->second;
}

bool ResponseParser::keeps_alive() const {
    return state_->reading.keep_alive() && state_->unparsed.empty();
}

}  // namespace trackops::http
