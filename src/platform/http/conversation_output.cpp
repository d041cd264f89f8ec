// The output half of a conversation.
#include <utility>

#include "platform/http/conversation.hpp"

namespace trackops::http {
namespace {

// Of a body, in one write.
constexpr std::size_t piece_bytes_max = 64 * 1024;
constexpr std::string_view heartbeat = ": heartbeat\n\n";

}  // namespace

void Conversation::take_output(std::string& out, Time now) {
    const std::size_t begin = out.size();
    while (!slots_.empty() && slots_.front().response && out.size() - begin < piece_bytes_max) {
        if (!append_slot(out, now)) break;
        const Slot& slot = slots_.front();
        host_.observe({.route = slot.route,
                       .method = slot.method,
                       .status = slot.response->status,
                       .took = now - slot.began,
                       .span = slot.span,
                       .parent_span = slot.parent_span,
                       .path = slot.path,
                       .tracestate = slot.tracestate,
                       .problem_code = problem_code_of(*slot.response),
                       .caller = slot.caller.get(),
                       .client = slot.client,
                       .correlation_id = slot.correlation_id,
                       .act = slot.act.get()});
        unsent_.remove(*slot.response);
        slots_.pop_front();
        ++first_number_;
        idle_since_ = now;
    }
    if (must_send_continue_ && may_continue()) {
        must_send_continue_ = false;
        out += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    unsent_.take(out.size() - begin);
}

// The client waits for nothing but the word to send its body.
bool Conversation::may_continue() const {
    return slots_.empty() || (body_ && slots_.size() == 1 && !slots_.front().response);
}

ResponseHead Conversation::head_of(const Slot& slot, Framing framing) {
    const bool is_last = framing == Framing::until_close || (input_is_over_ && slots_.size() == 1);
    return {.date = host_.date(),
            .correlation_id = slot.correlation_id,
            .framing = framing,
            .is_http10 = slot.is_http10,
            .is_last = is_last,
            .is_secure = options_.edge.tls != nullptr,
            .rate = slot.rate,
            .depends_on_origin = !options_.edge.cors_origins.empty(),
            .allowed_origin = slot.allowed_origin};
}

bool Conversation::append_slot(std::string& out, Time now) {
    Slot& slot = slots_.front();
    if (slot.stream) return append_stream(out, slot, now);
    const Response& response = *slot.response;
    if (!std::exchange(slot.is_head_sent, true))
        append_head(out, response, head_of(slot, Framing::content_length));
    if (!has_content(response) || slot.method == "HEAD") return true;
    const std::string_view rest = response.content().substr(slot.sent_bytes);
    const std::string_view piece = rest.substr(0, piece_bytes_max);
    out += piece;
    slot.sent_bytes += piece.size();
    return piece.size() == rest.size();
}

bool Conversation::append_stream(std::string& out, Slot& slot, Time now) {
    using End = AnswerPipe::End;
    const Framing framing = slot.is_http10 ? Framing::until_close : Framing::chunked;
    if (slot.stream->is_silent()) {
        const bool is_due = slot.is_head_sent && slot.route->answer == Answer::event_stream &&
                            now - slot.last_sent >= options_.heartbeat;
        if (!is_due) return false;
        append_piece(out, heartbeat, framing);
        slot.last_sent = now;
        return false;
    }
    if (!std::exchange(slot.is_head_sent, true))
        append_head(out, *slot.response, head_of(slot, framing));
    if (slot.method == "HEAD") {
        slot.stream->abandon();
        return true;
    }
    const End end = slot.stream->take(piece_, piece_bytes_max);
    append_piece(out, piece_, framing);
    piece_.clear();
    slot.last_sent = now;
    if (end == End::open) return false;
    std::string().swap(piece_);
    if (end != End::broken) append_end(out, framing);
    if (body_ && slots_.size() == 1) leave_body();
    if (end != End::whole || slot.is_http10) give_up_behind_first();
    return true;
}

}  // namespace trackops::http
