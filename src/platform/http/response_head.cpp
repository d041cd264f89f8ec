#include "platform/http/response_head.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "platform/http/cors.hpp"

namespace trackops::http {
namespace {

// A larger body is appended in pieces.
constexpr std::size_t body_bytes_reserved_max = 64 * 1024;

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

void append_number(std::string& out, std::size_t number, int base = 10) {
    std::array<char, 20> digits;
    out.append(digits.data(),
               std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    const std::size_t from = out.size();
    out += value;
    for (auto at = out.begin() + static_cast<std::ptrdiff_t>(from); at != out.end(); ++at) {
        // One comparison for what most characters are.
        if (static_cast<unsigned char>(*at) < 0x20 && (*at == '\r' || *at == '\n' || *at == '\0'))
            *at = ' ';
    }
    out += "\r\n";
}

void append_framing(std::string& out, const Response& response, Framing framing) {
    if (framing == Framing::content_length) {
        out += "Content-Length: ";
        append_number(out, response.content().size());
        out += "\r\n";
    } else if (framing == Framing::chunked) {
        out += "Transfer-Encoding: chunked\r\n";
    }
}

}  // namespace

bool has_content(const Response& response) {
    return response.status != 204 && response.status != 304;
}

void append_head(std::string& out, const Response& response, const ResponseHead& head) {
    out.reserve(out.size() + std::min(response.content().size(), body_bytes_reserved_max) + 320);
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::size_t>(response.status));
    out += ' ';
    out += reason(response.status);
    out += "\r\nDate: ";
    out += head.date;
    out += "\r\n";
    if (has_content(response)) {
        if (!response.content_type.empty())
            append_header(out, "Content-Type", response.content_type);
        append_framing(out, response, head.framing);
    }
    append_header(out, "X-Correlation-ID", head.correlation_id);
    bool says_caching = false;
    for (const auto& [name, value] : response.headers) {
        says_caching = says_caching || name == "Cache-Control";
        append_header(out, name, value);
    }
    if (!says_caching) out += "Cache-Control: no-store\r\n";
    out += "X-Content-Type-Options: nosniff\r\n";
    // A browser that was here once never comes without TLS again, for a year.
    if (head.is_secure) out += "Strict-Transport-Security: max-age=31536000\r\n";
    append_rate(out, head.rate);
    if (head.depends_on_origin) append_cors(out, head.allowed_origin);
    if (head.is_last) {
        out += "Connection: close\r\n";
    } else if (head.is_http10) {
        out += "Connection: keep-alive\r\n";
    }
    out += "\r\n";
}

void append_piece(std::string& out, std::string_view bytes, Framing framing) {
    if (bytes.empty()) return;
    if (framing == Framing::chunked) {
        append_number(out, bytes.size(), 16);
        out += "\r\n";
    }
    out += bytes;
    if (framing == Framing::chunked) out += "\r\n";
}

void append_end(std::string& out, Framing framing) {
    if (framing == Framing::chunked) out += "0\r\n\r\n";
}

}  // namespace trackops::http
