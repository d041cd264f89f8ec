#include "platform/access/session.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <sodium/randombytes.h>

#include "base/hex.hpp"
#include "platform/access/sodium.hpp"

namespace trackops::access {
namespace {

constexpr std::size_t handle_size = 32;
constexpr std::string_view form = "1";  // of the text
constexpr std::size_t line_count = 6;

std::optional<Instant> parse_micros(std::string_view text) {
    Instant at;
    const char* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, at.micros);
    if (fault != std::errc() || stop != end) return std::nullopt;
    return at;
}

}  // namespace

Secret make_session_id() {
    start_sodium();
    Digest random{};
    randombytes_buf(random.data(), random.size());
    return Secret(hex(random));
}

SessionKey key_of_session(std::string_view id) { return sha256(id); }

std::string handle_of(const SessionKey& key) { return hex(key).substr(0, handle_size); }

bool is_session_handle(std::string_view text) {
    return text.size() == handle_size && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

std::string mark_of(const Operator& one) {
    return hex(sha256(fmt::format("{}\n{}\n{}", one.name, name_of(one.role), one.password_hash)))
        .substr(0, handle_size);
}

std::string text_of(const Session& session) {
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", form, session.operator_name, session.mark,
                       session.created_at.micros, session.ends_at.micros, session.from);
}

std::optional<Session> parse_session(std::string_view text) {
    std::array<std::string_view, line_count> lines;
    for (std::size_t i = 0; i < line_count; ++i) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines[i] = text.substr(0, end);
        if ((end == text.size()) != (i + 1 == line_count)) return std::nullopt;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    const auto created_at = parse_micros(lines[3]);
    const auto ends_at = parse_micros(lines[4]);
    if (lines[0] != form || !is_name(lines[1]) || !created_at || !ends_at) return std::nullopt;
    return Session{.operator_name = std::string(lines[1]),
                   .mark = std::string(lines[2]),
                   .created_at = *created_at,
                   .ends_at = *ends_at,
                   .from = std::string(lines[5])};
}

}  // namespace trackops::access
