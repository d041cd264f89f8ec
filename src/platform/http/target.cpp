#include "platform/http/target.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/ascii_case.hpp"
#include "base/hex.hpp"
#include "platform/http/message.hpp"
#include "platform/telemetry/utf8.hpp"

namespace trackops::http {
namespace {

// Returns whether the text can be written to a log, a database and a response unchanged.
bool is_clean_text(std::string_view text) {
    if (std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; })) return true;
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x20 || c == 0x7f) return false;
        const auto step =
            c < 0x80 ? telemetry::Utf8Step{1, true} : telemetry::first_character(text.substr(i));
        if (!step.valid) return false;
        i += step.bytes;
    }
    return true;
}

Result<std::string> decoded(std::string_view text) {
    auto plain = percent_decoded(text);
    if (!plain) return fail(Errc::malformed, "the request target holds a broken percent escape");
    if (!is_clean_text(*plain))
        return fail(Errc::malformed, "the request target is not UTF-8 text once decoded");
    return *std::move(plain);
}

Result<std::string> decoded_word(std::string_view text) {
    if (text.find('+') == std::string_view::npos) return decoded(text);
    std::string spaced(text);
    std::ranges::replace(spaced, '+', ' ');
    return decoded(spaced);
}

// Cuts "http://host" off a target in absolute form and returns the host; nothing for any other
// form.
std::optional<std::string_view> take_authority(std::string_view& text) {
    const std::size_t scheme = begins_in_any_case(text, "http://")    ? 7
                               : begins_in_any_case(text, "https://") ? 8
                                                                      : 0;
    if (scheme == 0) return std::nullopt;
    const std::size_t end = std::min(text.find_first_of("/?#", scheme), text.size());
    const std::string_view authority = text.substr(scheme, end - scheme);
    if (authority.empty()) return std::nullopt;
    text.remove_prefix(end);
    return authority;
}

// Encodes every byte but letters, digits and those of `plain`.
std::string percent_encoded(std::string_view text, std::string_view plain) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const bool letter_or_digit =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (letter_or_digit || plain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += '%';
            out += digits[static_cast<unsigned char>(c) >> 4];
            out += digits[static_cast<unsigned char>(c) & 15];
        }
    }
    return out;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
    if (text.find('%') == std::string_view::npos) return std::string(text);
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        std::uint8_t byte = 0;
        if (!read_hex_byte(text.data() + i + 1, byte)) return std::nullopt;
        out += static_cast<char>(byte);
        i += 2;
    }
    return out;
}

std::string percent_encoded_path(std::string_view path) {
    return percent_encoded(path, "-._~!$&'()*+,;=:@/");
}

std::string percent_encoded_segment(std::string_view text) {
    return percent_encoded(text, "-._~:");
}

Result<Target> parse_target(std::string_view text) {
    Target target;
    if (!text.starts_with('/')) {
        const auto authority = take_authority(text);
        if (!authority)
            return fail(Errc::malformed, "the request target is neither a path nor an http URL");
        target.authority = *authority;
    }
    if (text.find('#') != std::string_view::npos)
        return fail(Errc::malformed, "the request target holds a fragment");
    const std::size_t mark = std::min(text.find('?'), text.size());
    // Of http://host and http://host?query the path is "/" (RFC 9110, section 4.2.3).
    target.encoded_path = mark == 0 ? std::string_view("/") : text.substr(0, mark);
    if (target.encoded_path.size() > 1 && target.encoded_path.ends_with('/'))
        target.encoded_path.remove_suffix(1);
    target.path = TRY(decoded(target.encoded_path));
    for (std::size_t from = mark + 1; from < text.size();) {
        const std::size_t end = std::min(text.find('&', from), text.size());
        const std::string_view pair = text.substr(from, end - from);
        from = end + 1;
        if (pair.empty()) continue;
        if (target.query.size() == query_parameters_max) {
            return fail(Errc::invalid, fmt::format("a query may have {} parameters at most",
                                                   query_parameters_max));
        }
        const std::size_t equals = std::min(pair.find('='), pair.size());
        std::string name = TRY(decoded_word(pair.substr(0, equals)));
        std::string value = TRY(decoded_word(pair.substr(std::min(equals + 1, pair.size()))));
        target.query.emplace_back(std::move(name), std::move(value));
    }
    return target;
}

Result<std::string_view> set_target(Request& request, std::string_view text) {
    if (request.method == "OPTIONS" && text == "*") {
        request.path = "*";
        return text;
    }
    Target target = TRY(parse_target(text));
    request.path = std::move(target.path);
    request.query = std::move(target.query);
    if (!target.authority.empty()) {
        std::erase_if(request.headers, [](const auto& header) { return header.first == "host"; });
        request.headers.emplace_back("host", target.authority);
    }
    return target.encoded_path;
}

}  // namespace trackops::http
