#include "platform/http/conversation.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "platform/http/authorise.hpp"
#include "platform/http/idempotency_key.hpp"
#include "platform/http/media_type.hpp"
#include "platform/http/origin.hpp"
#include "platform/http/target.hpp"
#include "platform/http/trace_context.hpp"

namespace trackops::http {
namespace {

struct Reason {
    int status;
    std::string_view phrase;
};
constexpr auto reasons = std::to_array<Reason>({
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {302, "Found"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
});

std::string_view reason(int status) {
    const auto found = std::ranges::find(reasons, status, &Reason::status);
    return found == reasons.end() ? "Status" : found->phrase;
}

void append_number(std::string& out, std::size_t number) {
    std::array<char, 20> digits;
    out.append(digits.data(),
               std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

// Replaces line breaks and NUL, so that a value from outside cannot start another header.
void append_header(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    const std::size_t from = out.size();
    out += value;
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(from), out.end(),
        [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
    out += "\r\n";
}

// The authority of a target in absolute form replaces Host (RFC 9112, section 3.2.2).
void set_host(Request& request, std::string_view authority) {
    std::erase_if(request.headers, [](const auto& header) { return header.first == "host"; });
    request.headers.emplace_back("host", authority);
}

std::optional<Limit> limit_of(Errc code) {
    switch (code) {
        case Errc::too_large:
            return Limit::body_bytes;
        case Errc::header_too_large:
            return Limit::header_bytes;
        case Errc::timeout:
            return Limit::read_time;
        default:
            return std::nullopt;
    }
}

}  // namespace

Conversation::Conversation(Host& host, const Router& router, const ServerOptions& options,
                           std::uint64_t connection, Time now)
    : host_(host),
      router_(router),
      options_(options),
      connection_(connection),
      parser_(options.header_bytes_max),
      began_(now),
      idle_since_(now) {}

void Conversation::receive(std::string_view bytes, Time now) {
    if (input_is_over_) return;
    if (!is_in_request()) began_ = now;
    must_send_continue_ = false;
    if (unparsed_.empty()) {
        unparsed_.append(bytes.substr(parse(bytes, now)));
    } else {
        unparsed_.append(bytes);
        unparsed_.consume(parse(unparsed_.view(), now));
    }
    if (input_is_over_) unparsed_.clear();
}

void Conversation::resume(Time now) {
    if (unparsed_.empty() || input_is_over_) return;
    began_ = now;
    unparsed_.consume(parse(unparsed_.view(), now));
    if (input_is_over_) unparsed_.clear();
}

std::size_t Conversation::parse(std::string_view bytes, Time now) {
    std::size_t done = 0;
    while (wants_input()) {
        std::size_t used = 0;
        const auto step = parser_.parse(bytes.substr(done), used);
        done += used;
        if (!step) {
            refuse(step.error(), now);
            return done;
        }
        if (*step == RequestParser::Step::need_more) break;
        if (*step == RequestParser::Step::complete) {
            take_request();
            began_ = now;
            continue;
        }
        const auto taken = take_header();
        if (!taken) {
            refuse(taken.error(), now);
            return done;
        }
        const RequestHead& head = parser_.head();
        must_send_continue_ = head.expects_continue && head.has_body && !head.is_http10 &&
                              !input_is_over_ && done == bytes.size();
    }
    if (slots_.size() == options_.pipelined_max) host_.reached(Limit::pipelined);
    if (is_stopping_ && done == bytes.size() && !parser_.is_in_request()) input_is_over_ = true;
    return done;
}

Result<void> Conversation::take_header() {
    Request& request = parser_.request();
    const RequestHead& head = parser_.head();
    set_trace_context(request, host_.fresh_id());
    request.context.arrived_at = began_;
    request.context.principal = host_.identify(request);
    const bool is_of_server = request.method == "OPTIONS" && head.target == "*";
    Target target = TRY(is_of_server ? Result<Target>(Target{.encoded_path = "*", .path = "*"})
                                     : parse_target(head.target));
    request.path = std::move(target.path);
    request.query = std::move(target.query);
    if (!target.authority.empty()) set_host(request, target.authority);
    const auto checked = check_origin(request, options_.edge.public_hosts);
    if (!checked && checked.error().code == Errc::malformed)
        return std::unexpected(checked.error());
    if (checked) {
        find_route(target.encoded_path);
    } else {
        route_ = nullptr;
        refusal_ = problem(checked.error(), request);
    }
    // A refusal before 100 Continue spares the client sending the body.
    if (refusal_ && head.expects_continue && head.has_body) {
        open_slot().response = std::exchange(refusal_, std::nullopt);
        slots_.back().keeps_alive = false;
        input_is_over_ = true;
        return {};
    }
    const bool has_own_limit = route_ && route_->body_bytes_max > 0;
    const bool keeps = !refusal_ && route_->body != Body::none;
    return parser_.take_body(has_own_limit ? route_->body_bytes_max : options_.body_bytes_max,
                             keeps);
}

void Conversation::find_route(std::string_view encoded_path) {
    Request& request = parser_.request();
    refusal_.reset();
    auto match = router_.match(request.method, encoded_path);
    route_ = match.route;
    if (!route_) {
        if (match.allowed.empty()) {
            refusal_ = problem({Errc::not_found, "no such path"}, request);
        } else if (request.method == "OPTIONS") {
            refusal_ = {.status = 204, .headers = {{"Allow", std::move(match.allowed)}}};
        } else {
            refusal_ =
                problem({Errc::method_not_allowed, "this path knows " + match.allowed}, request);
            refusal_->headers.emplace_back("Allow", std::move(match.allowed));
        }
        return;
    }
    request.params = std::move(match.params);
    request.route = route_->pattern;
    if (auto error = refusal_of(*route_)) refusal_ = problem(*error, request);
}

// Returns the reason why the row of the route refuses the request; nothing if it does not.
std::optional<Error> Conversation::refusal_of(const Route& route) {
    const Request& request = parser_.request();
    if (auto error = authorise(route, *request.context.principal)) return error;
    // Only the end of a chunked body tells whether there is one.
    const RequestHead& head = parser_.head();
    if (!route.body_optional || (head.has_body && !head.is_chunked)) {
        if (auto error = media_type_error()) return error;
    }
    if (auto given = check_key_is_given(route, request); !given) return std::move(given).error();
    return std::nullopt;
}

std::optional<Error> Conversation::media_type_error() {
    // A DELETE's body has no meaning in HTTP, so clients send it without a type.
    if (route_->body == Body::none || route_->method == "DELETE") return std::nullopt;
    auto fault = media_type_fault(parser_.request(), media_type_of(route_->body));
    if (!fault) return std::nullopt;
    return Error{Errc::unsupported_media_type, *std::move(fault)};
}

void Conversation::take_request() {
    Slot& slot = open_slot();
    if (!slot.keeps_alive) input_is_over_ = true;
    must_send_continue_ = false;
    if (!refusal_ && route_->body_optional && parser_.head().is_chunked &&
        !parser_.request().body.empty()) {
        if (const auto error = media_type_error()) refusal_ = problem(*error, parser_.request());
    }
    if (refusal_) {
        slot.response = std::exchange(refusal_, std::nullopt);
    } else {
        host_.handle(*route_, std::move(parser_.request()),
                     {connection_, first_number_ + slots_.size() - 1});
    }
    parser_.next();
    route_ = nullptr;
}

Conversation::Slot& Conversation::open_slot() {
    const Request& request = parser_.request();
    const RequestHead& head = parser_.head();
    return slots_.emplace_back(Slot{.route = route_,
                                    .method = request.method,
                                    .correlation_id = request.context.correlation_id,
                                    .began = began_,
                                    .is_http10 = head.is_http10,
                                    .keeps_alive = head.keeps_alive});
}

void Conversation::refuse(const Error& error, Time now) {
    Request& request = parser_.request();
    if (request.context.correlation_id.empty()) set_trace_context(request, host_.fresh_id());
    if (!is_in_request()) began_ = now;
    Slot& slot = open_slot();
    slot.keeps_alive = false;
    slot.response = problem(error, request);
    input_is_over_ = true;
    must_send_continue_ = false;
    if (const auto limit = limit_of(error.code)) host_.reached(*limit);
}

void Conversation::end_input() {
    input_is_over_ = true;
    unparsed_.clear();
}

void Conversation::stop() {
    is_stopping_ = true;
    if (!is_in_request()) input_is_over_ = true;
}

void Conversation::answer(std::uint64_t number, Response response) {
    slots_.at(number - first_number_).response = std::move(response);
}

void Conversation::take_output(std::string& out, Time now) {
    while (!slots_.empty() && slots_.front().response) {
        const Slot& slot = slots_.front();
        append(out, slot, input_is_over_ && slots_.size() == 1);
        host_.observe({slot.route, slot.method, slot.response->status, now - slot.began});
        slots_.pop_front();
        ++first_number_;
        idle_since_ = now;
    }
    if (must_send_continue_ && slots_.empty()) {
        must_send_continue_ = false;
        out += "HTTP/1.1 100 Continue\r\n\r\n";
    }
}

void Conversation::append(std::string& out, const Slot& slot, bool is_last) {
    const Response& response = *slot.response;
    const bool has_content = response.status != 204 && response.status != 304;
    out.reserve(out.size() + response.body.size() + 320);
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::size_t>(response.status));
    out += ' ';
    out += reason(response.status);
    out += "\r\nDate: ";
    out += host_.date();
    out += "\r\n";
    if (has_content) {
        if (!response.content_type.empty())
            append_header(out, "Content-Type", response.content_type);
        out += "Content-Length: ";
        append_number(out, response.body.size());
        out += "\r\n";
    }
    append_header(out, "X-Correlation-ID", slot.correlation_id);
    bool says_caching = false;
    for (const auto& [name, value] : response.headers) {
        says_caching = says_caching || name == "Cache-Control";
        append_header(out, name, value);
    }
    if (!says_caching) out += "Cache-Control: no-store\r\n";
    if (is_last) {
        out += "Connection: close\r\n";
    } else if (slot.is_http10) {
        out += "Connection: keep-alive\r\n";
    }
    out += "\r\n";
    if (has_content && slot.method != "HEAD") out += response.body;
}

bool Conversation::has_expired(Time now) {
    if (is_in_request()) {
        if (wants_input() && now - began_ >= options_.read_timeout)
            refuse({Errc::timeout, "the request did not arrive in time"}, now);
        return false;
    }
    if (!slots_.empty() || now - idle_since_ < options_.edge.idle_timeout) return false;
    host_.reached(Limit::idle_time);
    return true;
}

}  // namespace trackops::http
