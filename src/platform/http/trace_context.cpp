#include "platform/http/trace_context.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace trackops::http {
namespace {

constexpr std::size_t correlation_id_bytes_max = 128;
constexpr std::size_t tracestate_bytes_max = 512;

bool is_hex(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) {
    return text.find_first_not_of('0') == std::string_view::npos;
}

bool is_visible(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_tracestate(std::string_view text) {
    return text.size() <= tracestate_bytes_max &&
           std::ranges::all_of(text, [](char c) { return c == '\t' || (c >= ' ' && c < 0x7f); });
}

// version "-" trace-id "-" parent-id "-" flags. A later version may continue after another dash.
bool is_traceparent(std::string_view text) {
    if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
    const std::string_view version = text.substr(0, 2);
    const std::string_view trace = text.substr(3, 32);
    const std::string_view parent = text.substr(36, 16);
    if (!is_hex(version) || version == "ff" || !is_hex(trace) || !is_hex(parent) ||
        !is_hex(text.substr(53, 2)))
        return false;
    if (text.size() > 55 && (version == "00" || text[55] != '-')) return false;
    return !is_zero(trace) && !is_zero(parent);
}

void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<char, 32> text;
    std::size_t at = 0;
    for (const std::uint8_t byte : bytes) {
        text[at++] = digits[byte >> 4];
        text[at++] = digits[byte & 15];
    }
    out.append(text.data(), at);
}

}  // namespace

void set_trace_context(Request& request, const Uuid& fresh) {
    RequestContext& context = request.context;
    std::string_view parent;
    std::size_t parents = 0;
    std::string_view correlation;
    std::size_t correlations = 0;
    context.tracestate.clear();
    for (const auto& [name, value] : request.headers) {
        if (name == "traceparent") {
            parent = value;
            ++parents;
        } else if (name == "tracestate") {
            if (!context.tracestate.empty()) context.tracestate += ',';
            context.tracestate += value;
        } else if (name == "x-correlation-id") {
            correlation = value;
            ++correlations;
        }
    }
    const bool keeps = correlations == 1 && !correlation.empty() &&
                       correlation.size() <= correlation_id_bytes_max && is_visible(correlation);
    context.correlation_id = keeps ? std::string(correlation) : fresh.text();
    const bool continues = parents == 1 && is_traceparent(parent);
    context.traceparent.clear();
    context.traceparent.reserve(55);
    context.traceparent += "00-";
    if (continues) {
        context.traceparent += parent.substr(3, 32);
    } else {
        append_hex(context.traceparent, fresh.bytes);
    }
    context.traceparent += '-';
    append_hex(context.traceparent, std::span(fresh.bytes).last<8>());
    context.traceparent += '-';
    context.traceparent += continues ? parent.substr(53, 2) : "01";
    if (!continues || !is_tracestate(context.tracestate)) context.tracestate.clear();
}

}  // namespace trackops::http
