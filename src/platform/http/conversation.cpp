#include "platform/http/conversation.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "platform/http/audit_sink.hpp"
#include "platform/http/authorise.hpp"
#include "platform/http/cors.hpp"
#include "platform/http/forwarded.hpp"
#include "platform/http/origin.hpp"
#include "platform/http/target.hpp"
#include "platform/http/trace_context.hpp"

namespace trackops::http {
namespace {

constexpr std::size_t announced_bytes_min = 64 * 1024;  // a smaller body is paid when it arrives
constexpr const char* no_memory = "the memory for requests is in use; try again";

std::optional<Limit> limit_of(Errc code) {
    if (code == Errc::too_large) return Limit::body_bytes;
    if (code == Errc::header_too_large) return Limit::header_bytes;
    if (code == Errc::timeout) return Limit::read_time;
    return std::nullopt;
}

}  // namespace

std::shared_ptr<Inquiry> Conversation::Host::inquire(const Request& /*request*/,
                                                     std::uint64_t /*connection*/) {
    throw std::logic_error("this host never has to ask who calls");
}

std::shared_ptr<BodyPipe> Conversation::Host::handle_stream(const Route& route, Request /*request*/,
                                                            Place /*place*/) {
    throw std::logic_error("no stream is served here: " + std::string(route.pattern));
}

RateState Conversation::Host::limit_rate(const Request& /*request*/) { return {}; }

Conversation::Conversation(Host& host, const Router& router, const ServerOptions& options,
                           std::uint64_t connection, Time now)
    : host_(host),
      router_(router),
      options_(options),
      connection_(connection),
      parser_(options.header_bytes_max),
      origin_check_(options.edge.public_hosts, options.edge.cors_origins),
      unsent_(options.budget),
      began_(now),
      idle_since_(now) {}

void Conversation::receive(std::string_view bytes, Time now) {
    if (input_is_over_) return;
    if (!is_in_request()) began_ = now;
    if (parser_.is_in_body()) upload_rate_.add(bytes.size());
    must_send_continue_ = false;
    if (unparsed_.empty()) {
        unparsed_.append(bytes.substr(parse(bytes, now)));
    } else {
        unparsed_.append(bytes);
        unparsed_.consume(parse(unparsed_.view(), now));
    }
    if (input_is_over_) unparsed_.clear();
}

void Conversation::sent(Time now) {
    unsent_.sent();
    resume(now);
}

void Conversation::resume(Time now) {
    upload_rate_.begin(now);
    if ((unparsed_.empty() && !awaits_turn_ && !inquiry_) || input_is_over_) return;
    if (!awaits_turn_ && !inquiry_) began_ = now;
    unparsed_.consume(parse(unparsed_.view(), now));
    if (input_is_over_) unparsed_.clear();
}

std::size_t Conversation::parse(std::string_view bytes, Time now) {
    std::size_t done = 0;
    Result<void> taken;
    const bool has_room = wants_input();
    while (wants_input()) {
        if (const auto inquiry = std::exchange(inquiry_, nullptr)) {
            taken = take_caller(inquiry->answer());
        } else if (std::exchange(awaits_turn_, false)) {
            taken = take_turn();
            began_ = now;
        } else {
            std::size_t used = 0;
            const auto step = parser_.parse(bytes.substr(done), used);
            done += used;
            if (body_) pass_on_body();
            if (!step) {
                refuse(step.error(), now);
                return done;
            }
            if (!pays_for_body()) {
                refuse({Errc::overloaded, no_memory}, now);
                return done;
            }
            if (*step == RequestParser::Step::need_more) break;
            if (*step == RequestParser::Step::complete) {
                if (body_) {
                    finish_body();
                } else if (!waits_for_turn()) {
                    take_request();
                } else {
                    continue;
                }
                began_ = now;
                continue;
            }
            taken = take_header();
        }
        upload_rate_.begin(now);
        if (!taken) {
            refuse(taken.error(), now);
            return done;
        }
        if (!awaits_turn_ && !inquiry_) expect_body(done == bytes.size());
    }
    if (has_room) tell_why_it_stops(bytes.size() - done);
    if (is_stopping_ && done == bytes.size() && !parser_.is_in_request()) input_is_over_ = true;
    return done;
}

void Conversation::expect_body(bool is_input_used) {
    const RequestHead& head = parser_.head();
    must_send_continue_ = head.expects_continue && head.has_body && !head.is_http10 &&
                          !input_is_over_ && is_input_used;
}

void Conversation::tell_why_it_stops(std::size_t unparsed) {
    if (input_is_over_ || body_) return;
    if (slots_.size() == options_.edge.pipelined_max) return host_.reached(Limit::pipelined);
    if (unparsed > 0 && unsent_.count() >= options_.edge.unsent_bytes_max)
        host_.reached(Limit::unsent_bytes);
}

Result<void> Conversation::take_header() {
    Request& request = parser_.request();
    set_trace_context(request, host_.fresh_id(), options_.tracer);
    request.context.arrived_at = began_;
    request.context.client = client_;
    request.context.is_secure = options_.edge.tls != nullptr;
    rate_ = {};
    allowed_origin_ = allowed_origin(request, options_.edge.cors_origins);
    if (!allowed_origin_.empty())  // a page of another origin may not use the session of a browser
        std::erase_if(request.headers, [](const auto& header) { return header.first == "cookie"; });
    if (!options_.edge.trusted_proxies.empty())
        believe_proxies(request, options_.edge.trusted_proxies);
    auto caller = host_.identify(request);
    if (caller) return take_caller(std::move(caller));
    inquiry_ = host_.inquire(request, connection_);
    return {};
}

Result<void> Conversation::take_caller(std::shared_ptr<const Principal> caller) {
    Request& request = parser_.request();
    const RequestHead& head = parser_.head();
    request.context.principal = std::move(caller);
    const std::string_view encoded_path = TRY(set_target(request, head.target));
    const auto checked = origin_check_.check(request);
    if (!checked && checked.error().code == Errc::malformed)
        return std::unexpected(checked.error());
    if (checked) {
        find_route(encoded_path);
    } else {
        route_ = nullptr;
        refusal_ = problem(checked.error(), request);
    }
    if (options_.edge.rate_limits.any()) limit_rate();
    // A refusal before 100 Continue spares the client sending the body.
    if (refusal_ && refuses_before_body()) {
        set_response(open_slot(), *std::exchange(refusal_, std::nullopt));
        slots_.back().keeps_alive = false;
        input_is_over_ = true;
        return {};
    }
    if (route_ && route_->body == Body::ndjson_stream && !refusal_)
        return waits_for_turn() ? Result<void>() : begin_body();
    const bool has_own_limit = route_ && route_->body_bytes_max > 0;
    const bool keeps = !refusal_ && route_->body != Body::none;
    TRY(parser_.take_body(has_own_limit ? route_->body_bytes_max : options_.body_bytes_max, keeps));
    request.share = {options_.budget, runtime::Spending::bodies};
    if (!keeps || head.content_length.value_or(0) <= announced_bytes_min) return {};
    // Spares the client sending a body for which there is no room.
    if (!request.share.resize(*head.content_length)) return fail(Errc::overloaded, no_memory);
    request.share.reset();
    return {};
}

// Whether a refusal does not wait for the body: the client asks before it sends one, or the body is
// of the kind that may have any size.
bool Conversation::refuses_before_body() const {
    const RequestHead& head = parser_.head();
    if (!head.has_body || head.expects_continue) return head.has_body;
    return route_ && route_->body == Body::ndjson_stream &&
           head.content_length.value_or(RequestParser::unlimited) > options_.body_bytes_max;
}

Result<void> Conversation::begin_body() {
    TRY(parser_.take_body(RequestParser::unlimited, true));
    Slot& slot = open_slot();
    Request request = std::move(parser_.request());
    parser_.request().body.clear();
    body_ = host_.handle_stream(*route_, std::move(request),
                                {connection_, first_number_ + slots_.size() - 1});
    slot.body = body_;
    if (slot.response && !slot.stream) leave_body();
    return {};
}

// Whether the connection has fewer requests of the route's class in work than it may have. An
// answer that was not sent counts, because a client that does not read gets no more work done.
bool Conversation::has_turn() const {
    std::size_t most = options_.edge.pipelined_max;
    if (route_->work == Work::query) most = options_.query_in_work_max;
    if (route_->work == Work::bulk) most = options_.bulk_in_work_max;
    if (slots_.size() < most) return true;
    const auto in_work = std::ranges::count_if(slots_, [this](const Slot& slot) {
        return slot.route && slot.route->work == route_->work;
    });
    return static_cast<std::size_t>(in_work) < most;
}

bool Conversation::waits_for_turn() {
    if (refusal_ || has_turn()) return false;
    awaits_turn_ = true;
    host_.reached(Limit::in_work);
    return true;
}

Result<void> Conversation::take_turn() {
    if (route_->body == Body::ndjson_stream) return begin_body();
    take_request();
    return {};
}

// Takes the arrived part of the body out of the budget. Of a streamed body the host has taken the
// most that it may hold.
bool Conversation::pays_for_body() {
    Request& request = parser_.request();
    return body_ || request.body.size() == request.share.bytes() ||
           request.share.resize(request.body.size());
}

void Conversation::pass_on_body() {
    std::string& arrived = parser_.request().body;
    body_->put(arrived);
    arrived.clear();
}

void Conversation::finish_body() {
    body_->finish();
    body_.reset();
    if (!slots_.back().keeps_alive) input_is_over_ = true;
    must_send_continue_ = false;
    parser_.next();
    route_ = nullptr;
}

void Conversation::fail_body(const Error& error) {
    body_->fail(error);
    leave_body();
    if (const auto limit = limit_of(error.code)) host_.reached(*limit);
}

// The rest of the body does not matter. Where it ends is unknown, so no request can follow it.
void Conversation::leave_body() {
    body_.reset();
    slots_.back().keeps_alive = false;
    input_is_over_ = true;
    must_send_continue_ = false;
}

void Conversation::find_route(std::string_view encoded_path) {
    Request& request = parser_.request();
    refusal_.reset();
    auto match = router_.match(request.method, encoded_path);
    route_ = match.route;
    if (!route_) {
        const bool is_asked = !allowed_origin_.empty() && is_preflight(request);
        const std::string methods = is_asked ? match.allowed : std::string();
        refusal_ = unrouted(router_, encoded_path, std::move(match.allowed), request);
        if (!methods.empty()) allow_preflight(*refusal_, methods);
        return;
    }
    request.params = std::move(match.params);
    request.route = route_->pattern;
    // Only the end of a chunked body tells whether there is one.
    const RequestHead& head = parser_.head();
    if (auto error = refusal_of(*route_, request, head.has_body && !head.is_chunked))
        refusal_ = problem(*error, request);
}

// Probes are answered whatever others send from their address.
void Conversation::limit_rate() {
    if (route_ && route_->scope == Scope::everybody &&
        route_->pattern.starts_with("/actuator/health/"))
        return;
    rate_ = host_.limit_rate(parser_.request());
    if (rate_.is_admitted) return;
    refusal_ = problem({Errc::rate_limited,
                        "too many requests came from this caller; the headers "
                        "RateLimit-Policy and RateLimit tell the limit"},
                       parser_.request());
}

void Conversation::take_request() {
    Slot& slot = open_slot();
    if (!slot.keeps_alive) input_is_over_ = true;
    must_send_continue_ = false;
    if (!refusal_ && route_->body_optional && parser_.head().is_chunked &&
        !parser_.request().body.empty()) {
        if (const auto error = body_refusal(*route_, parser_.request()))
            refusal_ = problem(*error, parser_.request());
    }
    if (refusal_) {
        set_response(slot, *std::exchange(refusal_, std::nullopt));
    } else {
        host_.handle(*route_, std::move(parser_.request()),
                     {connection_, first_number_ + slots_.size() - 1});
    }
    parser_.next();
    route_ = nullptr;
}

// Returns the act that the request of the parser is, if it has to be audited.
AuditedActPtr Conversation::audited_act() {
    const Request& request = parser_.request();
    if (options_.edge.audit == nullptr || route_ == nullptr || refusal_ || request.method == "GET")
        return nullptr;
    const RequestContext& context = request.context;
    return options_.edge.audit->act_of({.caller = *context.principal,
                                        .client = context.client,
                                        .route = *route_,
                                        .method = request.method,
                                        .path = request.path,
                                        .correlation_id = context.correlation_id});
}

Conversation::Slot& Conversation::open_slot() {
    Request& request = parser_.request();
    request.context.act = audited_act();
    const RequestContext& context = request.context;
    const RequestHead& head = parser_.head();
    const bool is_recorded = options_.tracer != nullptr && context.span.is_sampled();
    const bool is_audited = options_.edge.audit != nullptr;
    const bool is_told = is_recorded || (is_audited && request.method != "GET");
    return slots_.emplace_back(Slot{.route = route_,
                                    .method = request.method,
                                    .correlation_id = context.correlation_id,
                                    .span = context.span,
                                    .parent_span = context.parent_span,
                                    .path = is_told ? request.path : std::string(),
                                    .tracestate = is_recorded ? context.tracestate : std::string(),
                                    .caller = is_audited ? context.principal : nullptr,
                                    .act = context.act,
                                    .client = context.client,
                                    .began = began_,
                                    .is_http10 = head.is_http10,
                                    .keeps_alive = head.keeps_alive,
                                    .rate = rate_,
                                    .allowed_origin = allowed_origin_});
}

void Conversation::refuse(const Error& error, Time now) {
    if (body_) return fail_body(error);
    Request& request = parser_.request();
    if (request.context.correlation_id.empty()) {
        rate_ = {};
        allowed_origin_ = {};
        set_trace_context(request, host_.fresh_id(), options_.tracer);
    }
    if (!is_in_request()) began_ = now;
    Slot& slot = open_slot();
    slot.keeps_alive = false;
    set_response(slot, problem(error, request));
    // The connection may linger; the memory is needed now.
    std::string().swap(request.body);  // frees it
    request.share.reset();
    input_is_over_ = true;
    must_send_continue_ = false;
    if (const auto limit = limit_of(error.code)) host_.reached(*limit);
}

void Conversation::end_input() {
    if (body_) fail_body({Errc::malformed, "the body ended before it was whole"});
    input_is_over_ = true;
    unparsed_.clear();
    end_event_streams();
}

void Conversation::stop() {
    is_stopping_ = true;
    if (!is_in_request()) input_is_over_ = true;
    end_event_streams();
}

// An event stream has no end of its own. It ends with the server, and with a client that closes its
// side, because nobody else would notice that such a client has gone.
void Conversation::end_event_streams() {
    for (const Slot& slot : slots_) {
        if (slot.stream && slot.route->answer == Answer::event_stream)
            slot.stream->finish(AnswerPipe::End::closes);
    }
}

Conversation::Slot* Conversation::find_slot(std::uint64_t number) {
    // Of a number that was given up, the difference is beyond every slot.
    const std::uint64_t at = number - first_number_;
    return at < slots_.size() ? &slots_[at] : nullptr;
}

void Conversation::answer(std::uint64_t number, Response response,
                          std::shared_ptr<AnswerPipe> stream) {
    Slot* const slot = find_slot(number);
    if (!slot) {
        if (stream) stream->abandon();
        return;
    }
    slot->stream = std::move(stream);
    set_response(*slot, std::move(response));
    if (!slot->stream && body_ && slot == &slots_.back()) leave_body();
    if (is_stopping_) end_event_streams();
}

void Conversation::set_response(Slot& slot, Response response) {
    slot.response = std::move(response);
    unsent_.add(*slot.response);
}

void Conversation::abandon() {
    input_is_over_ = true;
    body_.reset();
    for (const Slot& slot : slots_) {
        if (slot.body) slot.body->fail({Errc::unavailable, "the client has gone"});
        if (slot.stream) slot.stream->abandon();
    }
}

// The connection closes after the first slot.
void Conversation::give_up_behind_first() {
    for (auto slot = slots_.begin() + 1; slot != slots_.end(); ++slot) {
        if (slot->body) slot->body->fail({Errc::unavailable, "the connection closes"});
        if (slot->stream) slot->stream->abandon();
    }
    while (slots_.size() > 1) {
        if (slots_.back().response) unsent_.remove(*slots_.back().response);
        slots_.pop_back();
    }
    body_.reset();
    input_is_over_ = true;
    unparsed_.clear();
}

bool Conversation::has_expired(Time now) {
    if (parser_.is_in_body()) {
        // While the server does not read, the client may be waiting for it.
        const bool was_too_slow = upload_rate_.was_too_slow(
            now, options_.edge.upload_bytes_per_second_min, options_.read_timeout);
        if (was_too_slow && wants_input())
            refuse({Errc::timeout, "the body arrives too slowly"}, now);
        return false;
    }
    if (is_in_request()) {
        if (wants_input() && now - began_ >= options_.read_timeout)
            refuse({Errc::timeout, "the header did not arrive in time"}, now);
        return false;
    }
    if (!slots_.empty() || now - idle_since_ < options_.edge.idle_timeout) return false;
    host_.reached(Limit::idle_time);
    return true;
}

}  // namespace trackops::http
