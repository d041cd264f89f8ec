#include "platform/http/server_parser.hpp"

#include <algorithm>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

#include "base/ascii_case.hpp"
#include "platform/http/last_chunk.hpp"

namespace trackops::http {
namespace {

namespace beast = boost::beast;
using Code = beast::error_code;

// The most memory that a Content-Length alone makes us reserve.
constexpr std::size_t reserved_body_bytes_max = 64 * 1024;

// Parser callbacks that write directly into a Request.
class ParserCallbacks final : public beast::http::basic_parser<true> {
public:
    Request request;
    RequestHead head;
    bool keeps_body = true;

private:
    void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                         int version, Code&) override {
        request.method.assign(method.data(), method.size());
        head.target.assign(target.data(), target.size());
        head.is_http10 = version == 10;
        request.headers.reserve(12);
    }
    void on_response_impl(int, beast::string_view, int, Code&) override {}
    void on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value,
                       Code& ec) override {
        if (is_header_done_) return;  // trailers are ignored
        if (field == beast::http::field::transfer_encoding &&
            (head.is_http10 || !beast::iequals(value, "chunked"))) {
            ec = beast::http::error::bad_transfer_encoding;
            return;
        }
        if (field == beast::http::field::expect && beast::iequals(value, "100-continue"))
            head.expects_continue = true;
        hosts_ += field == beast::http::field::host ? 1 : 0;
        request.headers.emplace_back(in_lower_case({name.data(), name.size()}),
                                     std::string(value.data(), value.size()));
    }
    void on_header_impl(Code& ec) override {
        is_header_done_ = true;
        if (hosts_ > 1 || (hosts_ == 0 && !head.is_http10)) ec = beast::http::error::bad_field;
    }
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, Code&) override {
        if (length && keeps_body)
            request.body.reserve(std::min<std::uint64_t>(*length, reserved_body_bytes_max));
    }
    std::size_t on_body_impl(beast::string_view body, Code&) override {
        if (keeps_body) request.body.append(body.data(), body.size());
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, Code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, Code& ec) override {
        return on_body_impl(body, ec);
    }
    void on_finish_impl(Code&) override {}

    bool is_header_done_ = false;
    int hosts_ = 0;
};

}  // namespace

struct RequestParser::State {
    std::size_t header_bytes_max;
    std::size_t header_bytes = 0;
    bool awaits_rest = false;        // Step::header was returned
    std::size_t body_bytes_max = 0;  // since take_body()
    std::optional<ParserCallbacks> reading;

    void begin() {
        header_bytes = 0;
        awaits_rest = false;
        reading.emplace();
        // Stops after the header, so that the route can decide about the body.
        reading->eager(false);
        reading->header_limit(static_cast<std::uint32_t>(header_bytes_max + 1));
        reading->body_limit(boost::none);
    }

    std::unexpected<Error> refusal(const Code& ec) const {
        if (ec == beast::http::error::header_limit)
            return fail(Errc::header_too_large,
                        "the request's headers are larger than they may be");
        if (ec == beast::http::error::body_limit) {
            return fail(Errc::too_large,
                        fmt::format("the body is larger than the {} bytes that it may have here",
                                    body_bytes_max));
        }
        return fail(Errc::malformed, fmt::format("the request is not HTTP/1.1: {}", ec.message()));
    }
};

RequestParser::RequestParser(std::size_t header_bytes_max)
    : state_(std::make_unique<State>(header_bytes_max)) {
    state_->begin();
}
RequestParser::~RequestParser() = default;

void RequestParser::next() { state_->begin(); }
bool RequestParser::is_in_request() const { return state_->header_bytes > 0; }
bool RequestParser::is_in_body() const { return state_->awaits_rest; }
Request& RequestParser::request() { return state_->reading->request; }
const RequestHead& RequestParser::head() const { return state_->reading->head; }

Result<RequestParser::Step> RequestParser::parse(std::string_view bytes, std::size_t& used) {
    ParserCallbacks& reading = *state_->reading;
    used = 0;
    if (state_->awaits_rest && reading.is_done()) return Step::complete;
    if (state_->header_bytes == 0) {
        // Skips empty lines before a request (RFC 9112, section 2.2).
        while (bytes.substr(used).starts_with("\r\n")) used += 2;
    }
    const std::string_view rest = bytes.substr(used);
    if (rest.empty() || (state_->header_bytes == 0 && rest == "\r")) return Step::need_more;
    if (state_->awaits_rest && reading.chunked() && is_unfinished_last_chunk(rest))
        return Step::need_more;
    Code ec;
    const std::size_t put = reading.put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
    used += put;
    const std::size_t waiting = rest.size() - put;
    if (state_->awaits_rest) {
        if (ec == beast::http::error::need_more) ec = {};
        if (ec) return state_->refusal(ec);
        if (reading.is_done()) return Step::complete;
        if (waiting > state_->header_bytes_max)
            return fail(Errc::header_too_large,
                        "a chunk's header or the trailers are larger than they may be");
        return Step::need_more;
    }
    state_->header_bytes += put;
    const bool needs_more = ec == beast::http::error::need_more;
    if (ec && !needs_more) return state_->refusal(ec);
    if (state_->header_bytes + (needs_more ? waiting : 0) > state_->header_bytes_max)
        return state_->refusal(beast::http::error::header_limit);
    if (needs_more) {
        return Step::need_more;
    }
    RequestHead& head = reading.head;
    head.keeps_alive = reading.keep_alive();
    if (const auto length = reading.content_length()) head.content_length = *length;
    head.is_chunked = reading.chunked();
    head.has_body = head.is_chunked || head.content_length.value_or(0) > 0;
    return Step::header;
}

Result<void> RequestParser::take_body(std::size_t bytes_max, bool keep) {
    ParserCallbacks& reading = *state_->reading;
    state_->awaits_rest = true;
    state_->body_bytes_max = bytes_max;
    if (reading.head.content_length.value_or(0) > bytes_max)
        return state_->refusal(beast::http::error::body_limit);
    reading.keeps_body = keep;
    reading.eager(true);
    reading.body_limit(bytes_max);
    return {};
}

}  // namespace trackops::http
