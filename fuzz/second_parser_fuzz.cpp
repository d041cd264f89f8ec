// Fuzzes the parser of requests against a second one, Debian's http-parser: if both take the bytes
// as a request, they agree on its method, target, headers and body, and on where the next request
// begins. So no proxy with that parser can be made to see other requests than we do.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <http_parser.h>

#include "fuzz/promise.hpp"
#include "platform/http/server_parser.hpp"

namespace trackops::fuzz {
namespace {

constexpr std::size_t header_bytes_max = 16 * 1024;
constexpr std::size_t body_bytes_max = 64 * 1024;

struct Parsed {
    std::string method;
    std::string target;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::size_t bytes = 0;  // where the next request begins
    bool keeps_alive = false;
};

// Removes what the parsers may keep or drop at their choice: blanks around a value, and those of a
// folded line within it.
std::string plain_value(std::string_view value) {
    std::string plain;
    for (const char c : value) {
        if (c != ' ' && c != '\t') plain += c;
    }
    return plain;
}

std::string lower_case(std::string_view name) {
    std::string out(name);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

std::optional<Parsed> parsed_by_us(std::string_view bytes) {
    http::RequestParser parser(header_bytes_max);
    Parsed parsed;
    for (;;) {
        std::size_t used = 0;
        const auto step = parser.parse(bytes.substr(parsed.bytes), used);
        parsed.bytes += used;
        if (!step || *step == http::RequestParser::Step::need_more) return std::nullopt;
        if (*step == http::RequestParser::Step::complete) break;
        if (!parser.take_body(body_bytes_max, true)) return std::nullopt;
    }
    http::Request& request = parser.request();
    parsed.method = request.method;
    parsed.target = parser.head().target;
    parsed.body = request.body;
    parsed.keeps_alive = parser.head().keeps_alive;
    for (const auto& [name, value] : request.headers)
        parsed.headers.emplace_back(lower_case(name), plain_value(value));
    return parsed;
}

// Empty elements of a list do not count (RFC 9110, section 5.6.1). The second parser passes over
// the option behind one.
bool has_empty_option(const Parsed& request) {
    return std::ranges::any_of(request.headers, [](const auto& header) {
        return header.first == "connection" &&
               (header.second.starts_with(',') || header.second.contains(",,"));
    });
}

// Collects what the second parser tells.
struct Second {
    Parsed parsed;
    bool is_in_value = false;
    bool is_header_done = false;
    bool is_complete = false;
};

Second& second(http_parser* parser) { return *static_cast<Second*>(parser->data); }

int on_field(http_parser* parser, const char* at, std::size_t size) {
    Second& reading = second(parser);
    if (reading.is_header_done) return 0;  // trailers
    if (reading.is_in_value || reading.parsed.headers.empty()) {
        reading.parsed.headers.emplace_back();
        reading.is_in_value = false;
    }
    reading.parsed.headers.back().first.append(at, size);
    return 0;
}

int on_value(http_parser* parser, const char* at, std::size_t size) {
    Second& reading = second(parser);
    if (reading.is_header_done) return 0;
    reading.is_in_value = true;
    reading.parsed.headers.back().second.append(at, size);
    return 0;
}

int on_complete(http_parser* parser) {
    second(parser).is_complete = true;
    second(parser).parsed.keeps_alive = http_should_keep_alive(parser) != 0;
    http_parser_pause(parser, 1);  // behind the first request
    return 0;
}

std::optional<Parsed> parsed_by_the_second(std::string_view bytes) {
    http_parser_settings settings;
    http_parser_settings_init(&settings);
    settings.on_url = [](http_parser* parser, const char* at, std::size_t size) {
        second(parser).parsed.target.append(at, size);
        return 0;
    };
    settings.on_header_field = on_field;
    settings.on_header_value = on_value;
    settings.on_headers_complete = [](http_parser* parser) {
        second(parser).is_header_done = true;
        return 0;
    };
    settings.on_body = [](http_parser* parser, const char* at, std::size_t size) {
        second(parser).parsed.body.append(at, size);
        return 0;
    };
    settings.on_message_complete = on_complete;
    Second reading;
    http_parser parser;
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = &reading;
    reading.parsed.bytes = http_parser_execute(&parser, &settings, bytes.data(), bytes.size());
    // It leaves the bytes behind an upgrade or a CONNECT to its caller.
    if (!reading.is_complete || parser.upgrade != 0) return std::nullopt;
    reading.parsed.method = http_method_str(static_cast<http_method>(parser.method));
    for (auto& [name, value] : reading.parsed.headers) {
        name = lower_case(name);
        value = plain_value(value);
    }
    return std::move(reading.parsed);
}

}  // namespace
}  // namespace trackops::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops::fuzz;
    const std::string_view bytes = text_of(data, size);
    const auto ours = parsed_by_us(bytes);
    const auto other = parsed_by_the_second(bytes);
    if (!ours || !other) return 0;
    promise(ours->method == other->method, "both see the same method");
    promise(ours->target == other->target, "both see the same target");
    promise(ours->headers == other->headers, "both see the same headers");
    promise(ours->body == other->body, "both see the same body");
    promise(ours->bytes == other->bytes, "both see the next request at the same place");
    promise(ours->keeps_alive == other->keeps_alive || has_empty_option(*ours),
            "both keep the connection, or neither");
    return 0;
}
